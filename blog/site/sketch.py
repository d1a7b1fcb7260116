"""The system sketch: a small line drawing that belongs to one article, always the same for the same slug.

A topic chooses the motif (what kind of system is drawn), the slug everything else. Two weights of line, and
the accent on one thing only. The drawing is a list of marks; `svg` writes them so that they follow light and
dark.
"""

import hashlib
import random

from blog.site.marks import HEIGHT, WIDTH, Mark
from blog.site.motifs import MOTIFS, STATES, Motif
from blog.theme import DARK, LIGHT, Theme

INK = ("#0F141B", "#E8ECF2")

#: Words in a topic's slug that choose its motif; a topic with none of them gets one of its own, by its name.
WORDS = {
    "system": "loops",
    "architecture": "loops",
    "intelligence": "layers",
    "ai": "layers",
    "model": "layers",
    "data": "layers",
    "cyber": "boundaries",
    "security": "boundaries",
    "trust": "boundaries",
    "engineering": "branches",
    "code": "branches",
    "career": "branches",
    "reliab": "recovery",
    "operation": "recovery",
    "performance": "recovery",
    "privacy": "copies",
    "law": "copies",
}


def motifs_of(topic: str) -> tuple[Motif, ...]:
    """Return the kinds of system that stand for a topic."""
    parts = topic.lower().split("-")
    for word, name in WORDS.items():
        if any(part == word or (len(word) > 3 and part.startswith(word)) for part in parts):
            return MOTIFS[name]
    return random_for(topic).choice([MOTIFS[name] for name in sorted(MOTIFS)])


def draw(slug: str, topic: str) -> list[Mark]:
    """Return the marks of an article's drawing."""
    rng = random_for(slug)
    return rng.choice(motifs_of(topic))(rng)


def draw_state(name: str) -> list[Mark]:
    """Return the marks of the drawing for a state of the site, such as a page that is missing."""
    return STATES[name](random_for(name))


def random_for(name: str) -> random.Random:
    """Return a source of choices that is the same for the same name, on every machine."""
    return random.Random(hashlib.sha256(name.encode()).digest())  # noqa: S311 - a drawing, not a secret


def svg(marks: list[Mark], theme: Theme) -> str:
    """Write the marks as an SVG that adapts to light and dark."""
    body = "".join(mark.svg() for mark in marks)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" '
        f'width="{WIDTH}" height="{HEIGHT}"><style>{_style(theme)}</style>{body}</svg>\n'
    )


def icon(theme: Theme) -> str:
    """Return the site's icon: a loop with one live node, on the accent."""
    light, dark = theme.accent_light, theme.accent_dark
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><style>'
        f"svg{{--c:{light};--p:{LIGHT[0]}}}"
        f"@media(prefers-color-scheme:dark){{svg{{--c:{dark};--p:{DARK[0]}}}}}</style>"
        '<rect width="32" height="32" rx="5" fill="var(--c)"/>'
        '<circle cx="16" cy="16" r="8" fill="none" stroke="var(--p)" stroke-width="2.5"/>'
        '<circle cx="24" cy="16" r="4.25" fill="var(--p)"/>'
        '<circle cx="8" cy="16" r="3.25" fill="var(--c)" stroke="var(--p)" stroke-width="2.5"/></svg>\n'
    )


def _style(theme: Theme) -> str:
    colours = "svg{{--i:{};--p:{};--c:{}}}"
    return (
        colours.format(INK[0], LIGHT[0], theme.accent_light)
        + "@media(prefers-color-scheme:dark){"
        + colours.format(INK[1], DARK[0], theme.accent_dark)
        + "}"
        ".l,.d,.a{fill:none;stroke:var(--i);stroke-width:1.25;stroke-linecap:round;stroke-linejoin:round}"
        ".d{stroke-dasharray:1 4.5}.a{stroke:var(--c);stroke-width:2.5}"
        ".n,.s{fill:var(--p);stroke:var(--i);stroke-width:1.5}.s{stroke-width:2.5}.f{fill:var(--i)}"
        ".h{fill:var(--c)}.g{fill:var(--p);stroke:var(--c);stroke-width:2.5}"
    )
