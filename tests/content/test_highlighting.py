"""Code that is set aside looks on the page, and reads, as if it had been in the tree all the time."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from blog.content import tree
from blog.content.highlighting import MARK, highlighted, put_back
from blog.content.sanitising import sanitised
from tests.content.test_markup import html

INFOS = ["", "python", "html", "bash", "json", "diff", "python {1,3}", 'js title="a<b"', "no-such-language"]
CODES = [
    "print('a' & \"b\") # <c>\n",
    "\n\n  indented\n\ttab\n\n",
    "&amp; &nbsp;\u00a0 &#39; &lt;b&gt;",
    "<script>alert(1)</script><!-- x --></code></pre>",
    "a\x0bb\x01c\ufffe",
    f"{MARK}0{MARK}",
    "",
]


def assert_same(code: str, info: str) -> None:
    block = highlighted(code, info)
    whole = tree.parse(sanitised(f"<p>a</p>{block.before}{block.inside}{block.after}", trusted=False))
    aside = tree.parse(sanitised(f"<p>a</p>{block.html(0)}", trusted=False))
    put_back(aside, [block.inside])
    assert tree.serialised(aside) == tree.serialised(whole)
    assert "".join(aside.itertext()) == "".join(whole.itertext())


@pytest.mark.parametrize("info", INFOS)
@pytest.mark.parametrize("code", CODES)
def test_code_set_aside_is_written_as_if_it_had_not_been(code: str, info: str) -> None:
    assert_same(code, info)


@settings(deadline=None, max_examples=200)
@given(st.text(max_size=60), st.sampled_from(INFOS))
def test_any_code_set_aside_is_written_as_if_it_had_not_been(code: str, info: str) -> None:
    assert_same(code.replace("\x00", ""), info)


def test_the_mark_of_a_code_block_stands_for_it_nowhere_but_in_code() -> None:
    made = html(f'<b title="{MARK}0{MARK}">x</b> {MARK}0{MARK} `{MARK}0{MARK}`\n\n```\n" onclick="a\n```')
    assert made.count('" onclick="a') == 1
