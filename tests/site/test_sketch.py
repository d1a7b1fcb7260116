"""The drawings: always the same, always whole, always about their topic."""

import hashlib
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from blog.site import sketch
from blog.site.marks import HEIGHT, WIDTH, Mark, Tone
from blog.site.motifs import MOTIFS, STATES
from blog.theme import theme

THEME = theme("#2A3BE0")
DRAWERS = [(name, place) for name, motifs in MOTIFS.items() for place in range(len(motifs))]


def _reach(marks: list[Mark]) -> tuple[float, float, float, float]:
    points = [point for mark in marks for point in mark.reach]
    xs, ys = [x for x, _ in points], [y for _, y in points]
    return min(xs), min(ys), max(xs), max(ys)


def test_a_slug_always_gets_the_same_drawing() -> None:
    drawing = sketch.svg(sketch.draw("backend-2-0-systems-thinking-first", "systems"), THEME)
    assert drawing == sketch.svg(sketch.draw("backend-2-0-systems-thinking-first", "systems"), THEME)
    assert hashlib.sha256(drawing.encode()).hexdigest()[:12] == "026651617923"


def test_different_slugs_get_different_drawings() -> None:
    drawings = {sketch.svg(sketch.draw(f"piece-{n}", "systems"), THEME) for n in range(60)}
    assert len(drawings) > 50


@pytest.mark.parametrize(
    ("topic", "motif"),
    [
        ("systems", "loops"),
        ("artificial-intelligence", "layers"),
        ("ai", "layers"),
        ("cybersecurity", "boundaries"),
        ("security", "boundaries"),
        ("engineering", "branches"),
        ("site-reliability", "recovery"),
        ("privacy", "copies"),
    ],
)
def test_a_topic_chooses_what_is_drawn(topic: str, motif: str) -> None:
    assert sketch.motifs_of(topic) == MOTIFS[motif]


def test_an_unknown_topic_gets_a_motif_and_keeps_it() -> None:
    assert sketch.motifs_of("gardening") == sketch.motifs_of("gardening")


@pytest.mark.parametrize(("name", "place"), DRAWERS)
@given(slug=st.text(max_size=20))
def test_a_drawing_fills_its_frame_and_never_leaves_it(name: str, place: int, slug: str) -> None:
    left, top, right, bottom = _reach(MOTIFS[name][place](sketch.random_for(slug)))
    assert left >= 0
    assert top >= 0
    assert right <= WIDTH
    assert bottom <= HEIGHT
    assert right - left >= 0.85 * WIDTH
    assert bottom - top >= 0.5 * HEIGHT


@pytest.mark.parametrize(("name", "place"), DRAWERS)
def test_every_drawing_has_something_in_the_accent(name: str, place: int) -> None:
    tones = {mark.tone for mark in MOTIFS[name][place](sketch.random_for("x"))}
    assert tones & {Tone.ACCENT, Tone.LIVE, Tone.GATE}


def test_every_drawing_is_well_formed_and_small() -> None:
    states = [sketch.draw_state(name) for name in STATES]
    drawings = [
        sketch.draw(f"piece-{n}", topic) for n in range(20) for topic in ("ai", "security", "privacy")
    ]
    for marks in states + drawings:
        text = sketch.svg(marks, THEME)
        ET.fromstring(text)
        assert len(text) < 9000
    ET.fromstring(sketch.icon(THEME))
