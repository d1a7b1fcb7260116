"""The publisher's one accent colour, moved until it can be read on every ground, and the fonts."""

import colorsys
import hashlib
import re
from dataclasses import dataclass
from functools import lru_cache

DEFAULT_ACCENT = "#2A3BE0"
LIGHT = ("#FFFFFF", "#F3F5F8")
DARK = ("#0B1016", "#131A22")
#: WCAG 2.2 asks 4.5 for text; on a dark ground a little more is kinder to the eye.
LIGHT_CONTRAST = 4.5
DARK_CONTRAST = 6.5
STEPS = 200
#: By what a font is for, the family that `site.css` asks for before ours.
FAMILIES = {"text": "Own Text", "heading": "Own Head"}


@dataclass(frozen=True)
class Face:
    """A font of the publisher's, by what it is for, and whether it is one of many weights."""

    use: str
    address: str
    has_weights: bool

    def css(self) -> str:
        """Return the rule that names it; an italic is drawn from it by the browser."""
        # Of a single weight, a text's bold is made up; headings are bold as they are.
        weights = "font-weight:100 900;" if self.has_weights or self.use == "heading" else ""
        return (
            f"@font-face{{font-family:{FAMILIES[self.use]};"
            f'src:url({self.address}) format("woff2");{weights}font-display:swap}}\n'
        )


@dataclass(frozen=True)
class Theme:
    """The accent as drawn on light and on dark ground, a tint of each to lie behind text, and fonts."""

    accent_light: str
    accent_dark: str
    tint_light: str
    tint_dark: str
    faces: tuple[Face, ...] = ()

    def css(self) -> str:
        """Return the style sheet that hands the colours and the fonts to `site.css`."""
        return (
            f":root{{--accent:light-dark({self.accent_light},{self.accent_dark});"
            f"--tint:light-dark({self.tint_light},{self.tint_dark})}}\n"
        ) + "".join(face.css() for face in self.faces)

    def version(self) -> str:
        """Return a short name that changes with any of the colours and the fonts."""
        return hashlib.sha256(self.css().encode()).hexdigest()[:8]


@lru_cache(maxsize=32)
def theme(accent: str, faces: tuple[Face, ...] = ()) -> Theme:
    """Return the theme of an accent such as `#2A3BE0` or `#23f`; anything else stands for the default."""
    chosen = accent if is_colour(accent) else DEFAULT_ACCENT
    light = readable(chosen, LIGHT, LIGHT_CONTRAST)
    dark = readable(chosen, DARK, DARK_CONTRAST)
    return Theme(light, dark, blended(light, LIGHT[0], 0.14), blended(dark, DARK[0], 0.28), faces)


def too_pale(accent: str) -> str | None:
    """Return what a publisher should know of an accent that is not shown as given; None when it is."""
    shown = theme(accent)
    if not is_colour(accent) or shown.accent_light == readable(accent, LIGHT, 1):
        return None
    ratio = min(contrast(accent, ground) for ground in LIGHT)
    return (
        f"{accent} has a contrast of {ratio:.1f} on light ground, text needs {LIGHT_CONTRAST}: "
        f"pages use {shown.accent_light} there, and {shown.accent_dark} on dark ground"
    )


def is_colour(value: str) -> bool:
    """Say whether `value` is a hexadecimal colour of three or six digits."""
    return bool(re.fullmatch(r"#(?:[0-9A-Fa-f]{3}|[0-9A-Fa-f]{6})", value))


def contrast(one: str, other: str) -> float:
    """Return the contrast ratio of two colours, 1 to 21, as WCAG defines it."""
    high, low = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def readable(colour: str, grounds: tuple[str, ...], wanted: float) -> str:
    """Return `colour` with its lightness moved just far enough to reach `wanted` on all `grounds`."""
    hue, lightness, saturation = colorsys.rgb_to_hls(*_channels(colour))
    goal = 0.0 if _luminance(grounds[0]) > 0.5 else 1.0
    for step in range(STEPS + 1):
        moved = lightness + (goal - lightness) * step / STEPS
        candidate = _hexadecimal(colorsys.hls_to_rgb(hue, moved, saturation))
        if all(contrast(candidate, ground) >= wanted for ground in grounds):
            return candidate
    raise AssertionError("black and white reach any contrast asked for here")


def blended(colour: str, ground: str, share: float) -> str:
    """Return `share` of a colour laid over a ground."""
    pairs = zip(_channels(colour), _channels(ground), strict=True)
    red, green, blue = (above * share + below * (1 - share) for above, below in pairs)
    return _hexadecimal((red, green, blue))


def _channels(colour: str) -> tuple[float, float, float]:
    digits = colour.lstrip("#")
    if len(digits) == 3:
        digits = "".join(digit * 2 for digit in digits)
    red, green, blue = (int(digits[at : at + 2], 16) / 255 for at in (0, 2, 4))
    return red, green, blue


def _hexadecimal(channels: tuple[float, float, float]) -> str:
    return "#" + "".join(f"{round(channel * 255):02X}" for channel in channels)


def _luminance(colour: str) -> float:
    red, green, blue = (
        channel / 12.92 if channel <= 0.04045 else ((channel + 0.055) / 1.055) ** 2.4
        for channel in _channels(colour)
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
