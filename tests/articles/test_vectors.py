"""Comparing texts."""

import re
from collections.abc import Iterable
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from blog.articles.space import Space, can_mend, compare, mend
from blog.articles.terms import counted, words
from blog.articles.vectors import UNCAPPED, nearest

TEXTS = st.lists(st.lists(st.sampled_from(["aa", "bb", "cc", "dd", "ee"]), max_size=6), max_size=12)


def of(texts: Iterable[str]) -> Space:
    return compare([counted("", (), text) for text in texts])


def test_words_lose_addresses_and_possessives() -> None:
    assert words("Rust's plan: see https://example.org/a and don’t wait") == [
        "Rust",
        "plan",
        "see",
        "and",
        "don't",
        "wait",
    ]


@settings(deadline=None, max_examples=300)
@given(st.lists(st.sampled_from(["'s", "'", "’s", "s", "a", "é", " ", "\n", "“", "—", "_", "1", "."])))
def test_the_words_of_ascii_are_those_of_any_text(pieces: list[str]) -> None:
    text = "".join(pieces)
    found = re.findall(r"\w+(?:'\w+)*", text.replace("’", "'"))
    assert words(text) == [word.removesuffix("'s") for word in found]


def test_a_word_in_one_text_only_or_in_most_of_them_says_nothing() -> None:
    space = of(f"everywhere unique{number} {'shared' if number < 3 else ''}" for number in range(10))
    assert space.rarity.terms == ["shared"]
    assert [len(space.vectors.of(number)[0]) for number in range(10)] == [1] * 3 + [0] * 7
    assert list(space.near[0].texts) == [1, 2]


@settings(deadline=None)
@given(TEXTS)
def test_likeness_is_mutual_and_cosines_stay_within_one(texts: list[list[str]]) -> None:
    space = of(" ".join(text) for text in texts)
    for number, near in enumerate(space.near):
        for other, cosine in zip(near.texts, near.cosines, strict=True):
            mine = list(space.near[other].texts).index(number)
            assert abs(space.near[other].cosines[mine] - cosine) < 1e-6
            assert 0 < cosine <= 1 + 1e-6


@settings(deadline=None)
@given(TEXTS, TEXTS, st.data())
def test_a_mended_space_is_what_comparing_everything_under_the_same_weights_gives(
    before: list[list[str]], after: list[list[str]], data: st.DataObject
) -> None:
    space = of(" ".join(text) for text in before)
    kept = data.draw(st.lists(st.sampled_from(range(len(before))), unique=True)) if before else []
    new = [counted("", (), " ".join(text)) for text in after]
    mended, touched = mend(space, [*sorted(kept), *new])
    whole = nearest(mended.vectors)
    for number, near in enumerate(mended.near):
        assert dict(zip(near.texts, near.cosines, strict=True)) == pytest.approx(
            dict(zip(whole[number].texts, whole[number].cosines, strict=True)), abs=1e-6
        )
    assert {*range(len(kept), len(kept) + len(new))} <= touched


def test_few_changes_in_many_texts_are_mended_and_many_are_not() -> None:
    space = compare([counted("", (), f"word{number % 7} word{number % 11}") for number in range(UNCAPPED)])
    assert can_mend(space, UNCAPPED - 1, 1)
    assert not can_mend(space, UNCAPPED // 2, UNCAPPED // 2)
    assert not can_mend(replace(space, mended=UNCAPPED // 5), UNCAPPED - 1, 1)
    assert not can_mend(of(["few texts", "few texts too"]), 1, 1)
