"""Drawings for the states of the site: a page that is missing, a letter on its way, a thing that is done."""

import math
import random

from blog.site.marks import MARGIN, Mark, Tone, arc, bend, box, circle, line, on_ellipse, spread
from blog.site.motifs.parts import CENTRE, LEFT, MIDDLE, RIGHT, TOP


def lost(_: random.Random) -> list[Mark]:
    """A way that ends where something used to be."""
    way = [(x, MIDDLE + (26 if index % 2 else -26)) for index, x in enumerate(spread(4, LEFT, RIGHT - 76))]
    marks = [bend(Tone.THIN, way, 20), *(circle(Tone.NODE, at, 7) for at in way[:-1])]
    marks.append(line(Tone.DASHED, way[-1], (RIGHT - 36, MIDDLE + 8)))
    return [*marks, circle(Tone.DASHED, (RIGHT - 14, MIDDLE), 22), circle(Tone.LIVE, way[-1], 8)]


def letter(_: random.Random) -> list[Mark]:
    """A letter on its way from the site to one reader."""
    x, width, height = 156.0, 136.0, 96.0
    left, right, top = x - width / 2, x + width / 2, MIDDLE - height / 2
    marks = [box(Tone.STRONG, (x, MIDDLE), width, height, 3)]
    marks.append(line(Tone.THIN, (left, top + 4), (x, MIDDLE + 12), (right, top + 4)))
    for dy, start in ((-26, MARGIN), (0, MARGIN + 28), (26, MARGIN)):
        marks.append(line(Tone.THIN, (start, MIDDLE + dy), (left - 12, MIDDLE + dy)))
    return [*marks, circle(Tone.LIVE, (right, top), 11)]


def closed(_: random.Random) -> list[Mark]:
    """A loop that is complete."""
    radii = (96.0, MIDDLE - TOP)
    marks = [arc(Tone.ACCENT, CENTRE, radii, angle, angle + math.pi) for angle in (0, math.pi)]
    points = [on_ellipse(CENTRE, radii, math.tau * index / 5 + 0.4) for index in range(5)]
    return marks + [circle(Tone.SOLID if index == 2 else Tone.NODE, at, 8) for index, at in enumerate(points)]
