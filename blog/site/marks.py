"""What a sketch is made of: lines, curves, circles and boxes on a canvas of fixed size."""

import math
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise

WIDTH, HEIGHT, MARGIN = 240, 150, 8

Point = tuple[float, float]


class Tone(StrEnum):
    """How a mark is drawn; the value is its class in the SVG."""

    THIN = "l"
    DASHED = "d"
    ACCENT = "a"
    NODE = "n"
    STRONG = "s"
    SOLID = "f"
    LIVE = "h"
    GATE = "g"


@dataclass(frozen=True)
class Mark:
    """One mark: a path, a circle or a box, with the points that it covers."""

    tone: Tone
    element: str
    reach: tuple[Point, ...]

    def svg(self) -> str:
        """Return the element with its class."""
        name, rest = self.element.split(" ", 1)
        return f'<{name} class="{self.tone}" {rest}/>'


def line(tone: Tone, *points: Point) -> Mark:
    """Return straight strokes from point to point."""
    steps = "L".join(f"{_n(x)} {_n(y)}" for x, y in points)
    return Mark(tone, f'path d="M{steps}"', points)


def flow(tone: Tone, start: Point, end: Point) -> Mark:
    """Return a curve that leaves and arrives horizontally."""
    middle = _n((start[0] + end[0]) / 2)
    d = f"M{_p(start)}C{middle} {_n(start[1])} {middle} {_n(end[1])} {_p(end)}"
    return Mark(tone, f'path d="{d}"', (start, end))


def hop(tone: Tone, start: Point, end: Point, height: float) -> Mark:
    """Return a half ellipse from start to end; a positive height goes up."""
    width = abs(end[0] - start[0]) / 2
    d = f"M{_p(start)}A{_n(width)} {_n(abs(height))} 0 0 {1 if height > 0 else 0} {_p(end)}"
    return Mark(tone, f'path d="{d}"', (start, end, ((start[0] + end[0]) / 2, start[1] - height)))


def bend(tone: Tone, points: list[Point], radius: float = 14) -> Mark:
    """Return strokes through `points` with rounded corners."""
    d = f"M{_p(points[0])}"
    for before, corner, after in zip(points, points[1:], points[2:], strict=False):
        d += f"L{_p(_towards(corner, before, radius))}Q{_p(corner)} {_p(_towards(corner, after, radius))}"
    return Mark(tone, f'path d="{d}L{_p(points[-1])}"', tuple(points))


def arc(tone: Tone, centre: Point, radii: Point, start: float, end: float) -> Mark:
    """Return the part of an ellipse between two angles, clockwise, in radians."""
    first, last = on_ellipse(centre, radii, start), on_ellipse(centre, radii, end)
    large = 1 if (end - start) % math.tau > math.pi else 0
    d = f"M{_p(first)}A{_n(radii[0])} {_n(radii[1])} 0 {large} 1 {_p(last)}"
    reach = tuple(on_ellipse(centre, radii, start + (end - start) * step / 8) for step in range(9))
    return Mark(tone, f'path d="{d}"', reach)


def circle(tone: Tone, centre: Point, radius: float) -> Mark:
    """Return a circle."""
    (x, y), r = centre, radius
    return Mark(tone, f'circle cx="{_n(x)}" cy="{_n(y)}" r="{_n(r)}"', ((x - r, y - r), (x + r, y + r)))


def box(tone: Tone, centre: Point, width: float, height: float, rounding: float = 0) -> Mark:
    """Return a rectangle around its centre."""
    x, y = centre[0] - width / 2, centre[1] - height / 2
    rx = f' rx="{_n(rounding)}"' if rounding else ""
    element = f'rect x="{_n(x)}" y="{_n(y)}" width="{_n(width)}" height="{_n(height)}"{rx}'
    return Mark(tone, element, ((x, y), (x + width, y + height)))


def brake(tone: Tone, at: Point, angle: float = 0) -> list[Mark]:
    """Return two short strokes across a line that runs in the direction of `angle`: a delay."""
    along, across = (math.cos(angle), math.sin(angle)), (-math.sin(angle), math.cos(angle))
    return [
        line(
            tone,
            (at[0] + along[0] * shift - across[0] * 7, at[1] + along[1] * shift - across[1] * 7),
            (at[0] + along[0] * shift + across[0] * 7, at[1] + along[1] * shift + across[1] * 7),
        )
        for shift in (-3, 3)
    ]


def on_ellipse(centre: Point, radii: Point, angle: float) -> Point:
    """Return the point of an ellipse at an angle, clockwise from the right."""
    return centre[0] + radii[0] * math.cos(angle), centre[1] + radii[1] * math.sin(angle)


def spread(count: int, low: float, high: float) -> list[float]:
    """Return `count` places at even distances from `low` to `high`; one alone lies in the middle."""
    if count == 1:
        return [(low + high) / 2]
    return [low + (high - low) * index / (count - 1) for index in range(count)]


def links(tone: Tone, columns: list[list[Point]]) -> list[Mark]:
    """Return a flow from every point of a column to every point of the next."""
    return [flow(tone, a, b) for left, right in pairwise(columns) for a in left for b in right]


def _towards(start: Point, goal: Point, distance: float) -> Point:
    length = math.dist(start, goal) or 1
    share = min(distance / length, 0.5)
    return start[0] + (goal[0] - start[0]) * share, start[1] + (goal[1] - start[1]) * share


def _p(point: Point) -> str:
    return f"{_n(point[0])} {_n(point[1])}"


def _n(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")
