"""Draws the marks of a sketch into a picture: for places that show no SVG."""

import math
import re
from collections.abc import Iterator
from itertools import pairwise
from xml.etree import ElementTree as ET

from PIL import Image, ImageDraw

from blog.site.marks import HEIGHT, WIDTH, Mark, Point, Tone

#: Drawn larger by this much and shrunk: the pen itself leaves jagged edges.
FINER = 4
#: Straight pieces that one curve is made of; at the size of a card no corner can be seen.
PIECES = 48
#: The gap from dot to dot of a dashed line, as in the SVG's style.
DOT_GAP = 5.5

_WIDTHS = {
    Tone.THIN: 1.25,
    Tone.DASHED: 1.25,
    Tone.ACCENT: 2.5,
    Tone.NODE: 1.5,
    Tone.STRONG: 2.5,
    Tone.SOLID: 0.0,
    Tone.LIVE: 0.0,
    Tone.GATE: 2.5,
}
_STEP = re.compile(r"([MLCQA])([^MLCQA]*)")


class Pen:
    """A sheet of paper, as many pixels wide as asked for, and the colours to draw on it with."""

    def __init__(self, width: int, paper: str, ink: str, accent: str) -> None:
        self._scale = width * FINER / WIDTH
        self._paper, self._ink, self._accent = paper, ink, accent
        size = (width * FINER, round(HEIGHT * self._scale))
        self._sheet = Image.new("RGB", size, paper)
        self._draw = ImageDraw.Draw(self._sheet)

    def picture(self, marks: list[Mark]) -> Image.Image:
        """Draw the marks, each over those before it, and return the sheet at the size asked for."""
        for mark in marks:
            self._mark(mark)
        return self._sheet.reduce(FINER)

    def _mark(self, mark: Mark) -> None:
        shape = ET.fromstring(f"<{mark.element}/>")  # noqa: S314 - written by this program
        if shape.tag == "path":
            self._stroke(mark.tone, list(outline(shape.get("d", ""))))
            return
        numbers = {name: float(value) * self._scale for name, value in shape.attrib.items()}
        fill, line, width = self._fill(mark.tone), self._line(mark.tone), _WIDTHS[mark.tone] * self._scale
        # An outline lies half inside and half outside of the shape in SVG, and wholly inside here.
        half = width / 2
        if shape.tag == "circle":
            around = _around(numbers["cx"], numbers["cy"], numbers["r"] + half)
            self._draw.ellipse(around, fill, line, round(width))
            return
        x, y = numbers["x"] - half, numbers["y"] - half
        box = (x, y, x + numbers["width"] + width, y + numbers["height"] + width)
        self._draw.rounded_rectangle(box, numbers.get("rx", 0) + half, fill, line, round(width))

    def _stroke(self, tone: Tone, points: list[Point]) -> None:
        points = [(x * self._scale, y * self._scale) for x, y in points]
        width, colour = _WIDTHS[tone] * self._scale, self._line(tone)
        if tone is Tone.DASHED:
            dots = _evenly(points, DOT_GAP * self._scale)
        else:
            self._draw.line(points, colour, round(width))
            dots = iter(points)  # round ends and round corners
        for x, y in dots:
            self._draw.ellipse(_around(x, y, width / 2), colour)

    def _line(self, tone: Tone) -> str:
        return self._accent if tone in (Tone.ACCENT, Tone.GATE) else self._ink

    def _fill(self, tone: Tone) -> str:
        return {Tone.SOLID: self._ink, Tone.LIVE: self._accent}.get(tone, self._paper)


def outline(path: str) -> Iterator[Point]:
    """Return the points along an SVG path made of the five commands that marks are written with."""
    at: Point = (0, 0)
    for command, rest in _STEP.findall(path):
        numbers = [float(number) for number in rest.split()]
        end = (numbers[-2], numbers[-1])
        shares = [step / PIECES for step in range(1, PIECES + 1)]
        if command in "CQ":
            yield from (_bezier([at, *_pairs(numbers)], share) for share in shares)
        elif command == "A":
            yield from _arc(at, end, numbers)
        else:
            yield end
        at = end


def _pairs(numbers: list[float]) -> list[Point]:
    return list(zip(numbers[::2], numbers[1::2], strict=True))


def _bezier(points: list[Point], share: float) -> Point:
    while len(points) > 1:
        points = [(a[0] + (b[0] - a[0]) * share, a[1] + (b[1] - a[1]) * share) for a, b in pairwise(points)]
    return points[0]


def _arc(start: Point, end: Point, numbers: list[float]) -> Iterator[Point]:
    """Return the points of an arc given by its ends: SVG 1.1, appendix F.6.5, for ellipses that lie level."""
    rx, ry, _, large, clockwise = numbers[:5]
    dx, dy = (start[0] - end[0]) / 2 / rx, (start[1] - end[1]) / 2 / ry
    apart = dx * dx + dy * dy
    grow = math.sqrt(max(1.0, apart))  # ends too far apart for the ellipse: F.6.6 makes it larger
    reach = math.sqrt(max(0.0, grow * grow / apart - 1)) * (-1 if large == clockwise else 1) if apart else 0.0
    centre = ((start[0] + end[0]) / 2 + reach * dy * rx, (start[1] + end[1]) / 2 - reach * dx * ry)
    rx, ry = rx * grow, ry * grow
    first = math.atan2((start[1] - centre[1]) / ry, (start[0] - centre[0]) / rx)
    last = math.atan2((end[1] - centre[1]) / ry, (end[0] - centre[0]) / rx)
    turn = (last - first) % math.tau if clockwise else -((first - last) % math.tau)
    for step in range(1, PIECES + 1):
        angle = first + turn * step / PIECES
        yield centre[0] + rx * math.cos(angle), centre[1] + ry * math.sin(angle)


def _evenly(points: list[Point], gap: float) -> Iterator[Point]:
    """Return the places at every `gap` along the points, the first of them included."""
    waiting = 0.0
    for a, b in pairwise(points):
        length = math.dist(a, b)
        while waiting <= length and length:
            share = waiting / length
            yield a[0] + (b[0] - a[0]) * share, a[1] + (b[1] - a[1]) * share
            waiting += gap
        waiting -= length


def _around(x: float, y: float, reach: float) -> tuple[float, float, float, float]:
    return x - reach, y - reach, x + reach, y + reach
