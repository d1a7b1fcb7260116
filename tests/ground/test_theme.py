"""The accent: whatever the publisher chooses, it can be read."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from blog.theme import DARK, DEFAULT_ACCENT, LIGHT, contrast, is_colour, theme

INKS = ("#0F141B", "#E8ECF2")


@pytest.mark.parametrize(
    ("one", "other", "ratio"),
    [("#000000", "#FFFFFF", 21.0), ("#777777", "#FFFFFF", 4.48), ("#fff", "#fff", 1.0)],
)
def test_contrast_is_what_the_guidelines_say(one: str, other: str, ratio: float) -> None:
    assert contrast(one, other) == pytest.approx(ratio, abs=0.01)


@given(st.integers(0, 0xFFFFFF))
def test_any_accent_is_readable_on_every_ground_of_both_schemes(number: int) -> None:
    chosen = theme(f"#{number:06X}")
    assert min(contrast(chosen.accent_light, ground) for ground in LIGHT) >= 4.5
    assert min(contrast(chosen.accent_dark, ground) for ground in DARK) >= 4.5


@given(st.integers(0, 0xFFFFFF))
def test_text_stays_readable_on_the_tints(number: int) -> None:
    chosen = theme(f"#{number:06X}")
    assert contrast(INKS[0], chosen.tint_light) >= 4.5
    assert contrast(INKS[1], chosen.tint_dark) >= 4.5


def test_an_accent_that_is_readable_already_is_kept() -> None:
    assert theme("#2A3BE0").accent_light == "#2A3BE0"


@pytest.mark.parametrize("wrong", ["", "blue", "#12", "#12345G", "#123456;}body{display:none"])
def test_what_is_no_colour_stands_for_the_default(wrong: str) -> None:
    assert not is_colour(wrong)
    assert theme(wrong) == theme(DEFAULT_ACCENT)


def test_the_style_sheet_names_both_schemes_and_its_version_follows_it() -> None:
    assert theme("#2A3BE0").css().startswith(":root{--accent:light-dark(#2A3BE0,")
    assert theme("#2A3BE0").version() != theme("#97301B").version()
