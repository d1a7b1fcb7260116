"""Text in columns: as wide as it may be, complete, and by the width that signs have on a screen."""

import re

from hypothesis import given
from hypothesis import strategies as st

from blog.columns import WIDTH, underlined, width, wrapped

signs = st.characters(codec="utf-8", exclude_categories=["C", "Z"])
words = st.text(st.one_of(signs, st.sampled_from("字日本。、مرחב é-")), min_size=1, max_size=90)


@given(st.lists(words, min_size=1, max_size=20), st.sampled_from(["", "- ", "> > "]))
def test_every_word_is_kept_and_what_can_break_is_narrow_enough(said: list[str], first: str) -> None:
    made = wrapped(" ".join(said), first, " " * len(first))
    assert re.sub(r"\s", "", made) == re.sub(r"\s", "", first + "".join(said))
    for line in made.split("\n"):
        assert width(line) <= WIDTH or " " not in line[len(first) :].strip()
        assert line == line.rstrip(" \t")


def test_words_are_parted_as_late_as_can_be() -> None:
    assert wrapped("aa bb cc", most=5) == "aa bb\ncc"
    assert wrapped("aa bb", "1. ", "   ", most=6) == "1. aa\n   bb"
    assert (
        wrapped("x https://example.org/a-long-address y", most=9)
        == "x\nhttps://example.org/a-long-address\ny"
    )


def test_scripts_without_spaces_break_anywhere_but_before_a_full_stop() -> None:
    assert wrapped("字字字字。字", most=8) == "字字字\n字。字"


def test_wide_signs_take_two_columns_and_joined_marks_none() -> None:
    assert [width("a"), width("字"), width("e\u0301"), width("نُقل")] == [1, 2, 1, 3]
    assert underlined("字字", "-") == "字字\n----"
