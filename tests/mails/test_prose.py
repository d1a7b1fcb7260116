"""The publisher's own words: clean HTML, and a text that says the same in 72 columns."""

import re
from html import unescape

import pytest
from hypothesis import given
from hypothesis import strategies as st

from blog.columns import WIDTH, width
from blog.delivery import prose

BASE = "https://news.example.org/"
LONG = "words that go on and on, further than one line of a mail reaches, and then some more of them"
NOTE = f"""# Hello

This is about [queues](/topics/ai) & *patience*, **strength** and `code`.

### A smaller one

- {LONG}
- second
    1. nested
    2. twice

> {LONG}

```
def f():
    return 1
```

![A queue](/media/q.png)

---

<someone@example.org> and <https://example.org/a>
"""
TEXT = """\
Hello
=====

This is about queues <https://news.example.org/topics/ai> & _patience_,
*strength* and `code`.

A smaller one
-------------

- words that go on and on, further than one line of a mail reaches, and
  then some more of them
- second
  1. nested
  2. twice

> words that go on and on, further than one line of a mail reaches, and
> then some more of them

    def f():
        return 1

[A queue]

* * *

someone@example.org and https://example.org/a"""


def test_the_text_says_what_the_markdown_says() -> None:
    assert prose.text(prose.html(NOTE, BASE)) == TEXT


def test_nothing_active_gets_in() -> None:
    made = prose.html(
        '<script>x()</script> <a href="javascript:x()">y</a> <img src="x.png" onerror="z()">', BASE
    )
    assert not re.search("script|onerror", made)


@pytest.mark.parametrize(
    ("written", "levels"),
    [
        ("# a\n\n## b\n\n### c", "2 3 3"),
        ("### a\n\n#### b", "2 3"),
        ("### a\n\n## b", "2 2"),
        ("## a\n\n# b", "2 2"),
    ],
)
def test_headings_follow_the_mails_own_without_a_gap(written: str, levels: str) -> None:
    assert " ".join(re.findall(r"<h(\d)", prose.html(written, BASE))) == levels


def test_pictures_have_what_mail_programs_ask_for_and_trackers_are_no_pictures() -> None:
    written = '<IMG SRC="/a.png" onload="x()"> <img> <img src="/t.gif" width="1" alt=""> ![](/b.png)'
    assert re.findall("<img[^>]*>", prose.html(written, BASE)) == [
        '<img src="https://news.example.org/a.png" alt="" width="520">',
        '<img src="https://news.example.org/b.png" alt="" width="520">',
    ]


words = st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"]), min_size=1, max_size=12)
lines = st.lists(words, min_size=1, max_size=30).map(" ".join)
blocks = st.tuples(st.sampled_from(["", "- ", "1. ", "> ", "## ", "    "]), lines).map("".join)


@given(st.lists(blocks, min_size=1, max_size=8).map("\n\n".join))
def test_every_word_of_the_page_is_in_the_text_and_no_line_is_too_wide(body: str) -> None:
    made = prose.html(body, BASE)
    said = prose.text(made)
    for word in unescape(re.sub(r"<[^>]*>", " ", made)).split():
        if word.isalnum():
            assert word in re.sub(r"\n(> |\s)*", "", said), word
    for line in said.split("\n"):
        code, short = line.startswith("    "), width(line) <= WIDTH
        assert code or short or " " not in re.sub(r"^([->] |\d+\. |\s)+", "", line), line
