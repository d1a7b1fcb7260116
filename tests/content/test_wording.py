"""Excerpts and word counts."""

from hypothesis import given
from hypothesis import strategies as st

from blog.content.wording import EXCERPT, count, cut


@given(st.text())
def test_an_excerpt_is_never_longer_than_its_limit(text: str) -> None:
    assert len(cut(text)) <= EXCERPT


def test_an_excerpt_is_cut_between_words_and_says_so() -> None:
    made = cut("word, " * 60)
    assert made.endswith("word…")
    assert cut("short") == "short"
    assert cut("x" * 300) == "x" * (EXCERPT - 1) + "…"


def test_words_are_counted_as_people_count_them() -> None:
    assert count("It's state-of-the-art: version 2.0, don't you think?") == 7
