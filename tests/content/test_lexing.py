"""Trying the rules of a lexer at once finds the tokens that trying them one by one finds."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pygments.lexers import get_lexer_by_name

from blog.content.lexing import quick

LANGUAGES = """
    bash c cpp csharp css diff django docker elixir erlang go graphql haskell html ini java js json jsx kotlin
    latex lua make markdown matlab nginx nix objective-c ocaml perl php powershell python python2 pycon r rst
    ruby rust sass scala scss sql swift text toml ts typescript vim xml yaml zig
""".split()  # noqa: SIM905  # a paragraph of names reads better than quoted ones
PIECES = """
    def class if end { } ( ) [ ] " ' \"\"\" \\ / // /* */ # <!-- --> < > <a </a> <? ?> = => : ; , . $ ${ @ %
    & | ! ~ `
    0 12 0x1F 1.5e3 x foo_bar Foo é 漢 import return fn let var - -- + * ** <<EOF EOF <<- $(x) {{ }} {% %}
    r" f"
""".split()  # noqa: SIM905  # a paragraph of pieces reads better than quoted ones
WRITTEN = """
@decorator(1)
async def f(a: int, *b, c='x') -> None:  # note
    \"\"\"Says {what} \\n.\"\"\"
    return [f"{x!r:>{w}} {y}" for x in b if not c]
cat <<'EOF' | grep -v "$HOME ${a[1]}" > out.log && exit 0x1
<p class="a">{{ value|safe }} &amp; `code` <!-- no --></p>
const { a, b: [c] } = await fetch(`/x/${id}?q=${`${n}`}`) ?? /re[g]ex/gi; // end
SELECT "a", 'b''c' FROM t WHERE x <> 1.5e-3 -- why
fn main<'a>(x: &'a str) -> Result<(), Box<dyn Error>> { println!("{x:?}"); Ok(()) }
key: &anchor [1, "two", ~]
+added
-removed
@@ -1,2 +3,4 @@
"""


def assert_same(language: str, text: str) -> None:
    theirs, ours = get_lexer_by_name(language), quick(get_lexer_by_name(language))
    assert list(ours.get_tokens_unprocessed(text)) == list(theirs.get_tokens_unprocessed(text))


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_text_has_the_tokens_that_the_library_finds(language: str) -> None:
    assert_same(language, WRITTEN)
    for line in WRITTEN.split("\n"):
        assert_same(language, line)


@settings(deadline=None, max_examples=300)
@given(
    st.sampled_from(LANGUAGES), st.lists(st.sampled_from([*PIECES, " ", " ", "\n", "\n    "]), max_size=30)
)
def test_any_text_has_the_tokens_that_the_library_finds(language: str, pieces: list[str]) -> None:
    assert_same(language, "".join(pieces))
