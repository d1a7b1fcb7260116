"""The accent: whatever the publisher chooses, it can be read."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from blog.settings import ROOT
from blog.theme import DARK, DEFAULT_ACCENT, LIGHT, contrast, is_colour, theme, too_pale

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


def test_an_accent_that_is_too_pale_is_named_with_what_is_used_instead() -> None:
    said = too_pale("#FFE000") or ""
    assert "#FFE000 has a contrast of 1.2 on light ground, text needs 4.5" in said
    assert theme("#FFE000").accent_light in said
    assert too_pale("#2A3BE0") is None
    assert too_pale("#123") is None


def test_every_fixed_colour_of_the_style_sheet_can_be_read_on_every_ground() -> None:
    css = (ROOT / "blog" / "static" / "site.css").read_text()
    pairs = dict(re.findall(r"--([a-z0-9]+):light-dark\((#[0-9a-f]+,#[0-9a-f]+)\)", css))
    for name in ("ink", "muted", "focus", "good", "bad", "c1", "c2", "c3", "c4"):
        light, dark = pairs[name].split(",")
        assert min(contrast(light, ground) for ground in LIGHT) >= 4.5, name
        assert min(contrast(dark, ground) for ground in DARK) >= 4.5, name
    light, dark = pairs["line"].split(",")
    assert min(contrast(light, ground) for ground in LIGHT) >= 3
    assert min(contrast(dark, ground) for ground in DARK) >= 3
    assert pairs["paper"] == "#fff,#0b1016"
