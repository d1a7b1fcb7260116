"""Comparing texts."""

import math

from hypothesis import given
from hypothesis import strategies as st

from blog.articles.vectors import compare, words


def test_words_lose_addresses_and_possessives() -> None:
    assert words("Rust's plan: see https://example.org/a and don’t wait") == [
        "Rust",
        "plan",
        "see",
        "and",
        "don't",
        "wait",
    ]


def test_a_word_in_one_text_only_or_in_most_of_them_says_nothing() -> None:
    space = compare(
        [("", (), f"everywhere unique{number} {'shared' if number < 3 else ''}") for number in range(10)]
    )
    assert set(space.terms[0].vector) == {"shared"}
    assert space.terms[9].vector == {}
    assert set(space.neighbours[0]) == {1, 2}


@given(st.lists(st.lists(st.sampled_from(["aa", "bb", "cc", "dd", "ee"]), max_size=6), max_size=12))
def test_likeness_is_mutual_and_cosines_stay_within_one(texts: list[list[str]]) -> None:
    space = compare([("", (), " ".join(text)) for text in texts])
    for number, near in enumerate(space.neighbours):
        for other, likeness in near.items():
            assert math.isclose(space.neighbours[other][number], likeness)
            assert 0 < space.cosines[number][other] <= 1 + 1e-9
