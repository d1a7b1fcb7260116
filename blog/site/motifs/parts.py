"""The parts that several motifs share: the frame, stages, stocks, queues and records."""

import random

from blog.site.marks import HEIGHT, MARGIN, WIDTH, Mark, Point, Tone, box, circle, line

LEFT, RIGHT = MARGIN + 8, WIDTH - MARGIN - 8
TOP, BOTTOM = MARGIN + 8, HEIGHT - MARGIN - 8
MIDDLE = HEIGHT / 2
CENTRE = (WIDTH / 2, MIDDLE)


def stage(rng: random.Random, at: Point) -> Mark:
    """Return one step of a system, in one of its shapes."""
    kind = rng.choice(["circle", "circle", "small", "box", "solid"])
    if kind == "box":
        return box(Tone.NODE, at, 14, 14)
    if kind == "solid":
        return circle(Tone.SOLID, at, 6)
    return circle(Tone.NODE, at, 8 if kind == "circle" else 5.5)


def stock(at: Point) -> Mark:
    """Return a place where things pile up."""
    return box(Tone.STRONG, at, 30, 18)


def record(at: Point) -> list[Mark]:
    """Return a sheet with three lines."""
    rows = [line(Tone.THIN, (at[0] - 10, at[1] + dy), (at[0] + 10, at[1] + dy)) for dy in (-7, 0, 7)]
    return [box(Tone.STRONG, at, 34, 32), *rows]


def queue(rng: random.Random, y: float) -> list[Mark]:
    """Return a row of waiting things, the first of which are done."""
    count, size, gap = rng.choice([4, 5, 6]), 13, 5
    done = rng.randrange(1, count)
    return [
        box(Tone.NODE if index < done else Tone.SOLID, (LEFT + index * (size + gap), y), size, size)
        for index in range(count)
    ]


def stopped(at: Point) -> list[Mark]:
    """Return the short stroke at which a line ends."""
    return [line(Tone.THIN, (at[0], at[1] - 6), (at[0], at[1] + 6))]
