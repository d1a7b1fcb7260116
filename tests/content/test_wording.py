"""Excerpts and word counts."""

import re

from hypothesis import given, settings
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


@settings(max_examples=500)
@given(st.text(st.sampled_from("ab1é漢_ .-'’“…\n,\x1c\u00a0"), max_size=30))
def test_words_are_counted_alike_in_every_script(text: str) -> None:
    assert count(text) == len(re.findall(r"[^\W_]+(?:['’.-][^\W_]+)*", text))
