"""Systems that move things along: loops, chains, layers and branches."""

import math
import random
from itertools import pairwise

from blog.site.marks import (
    HEIGHT,
    MARGIN,
    WIDTH,
    Mark,
    Point,
    Tone,
    arc,
    bend,
    box,
    brake,
    circle,
    flow,
    hop,
    line,
    links,
    on_ellipse,
    spread,
)
from blog.site.motifs.parts import BOTTOM, CENTRE, LEFT, MIDDLE, RIGHT, TOP, stage, stock

LANES = {
    MIDDLE: (TOP, BOTTOM, TOP + 24),
    BOTTOM - 18: (TOP, TOP + 34, BOTTOM),
    TOP + 18: (BOTTOM, BOTTOM - 34),
}


def loop(rng: random.Random) -> list[Mark]:
    """Feedback: stages on a ring, one leg of it delayed, with what flows in and what flows out."""
    radii = (rng.choice([66.0, 74.0, 82.0]), MIDDLE - TOP)
    count = rng.choice([4, 5, 6])
    turn = rng.choice([0.0, 0.5]) * math.tau / count
    angles = [turn + math.pi + math.tau * index / count for index in range(count + 1)]
    delayed, piled = rng.randrange(count), rng.randrange(count)
    points = [on_ellipse(CENTRE, radii, angle) for angle in angles[:-1]]
    marks = [
        arc(Tone.ACCENT if index == delayed else Tone.THIN, CENTRE, radii, start, end)
        for index, (start, end) in enumerate(pairwise(angles))
    ]
    half = (angles[delayed] + angles[delayed + 1]) / 2
    heading = math.atan2(radii[1] * math.cos(half), -radii[0] * math.sin(half))
    marks += brake(Tone.ACCENT, on_ellipse(CENTRE, radii, half), heading)
    marks.append(flow(Tone.THIN, (MARGIN, rng.choice([TOP, MIDDLE, BOTTOM])), min(points)))
    marks.append(flow(Tone.THIN, max(points), (WIDTH - MARGIN, rng.choice([TOP, MIDDLE, BOTTOM]))))
    if rng.random() < 0.6:
        marks.append(flow(Tone.DASHED, points[piled], points[(piled + count // 2) % count]))
    return marks + [stock(at) if index == piled else stage(rng, at) for index, at in enumerate(points)]


def chain(rng: random.Random) -> list[Mark]:
    """Stock and flow: stages in a row, one of them full, and the signal that goes back with a delay."""
    count = rng.choice([4, 5])
    level = rng.choice([-1, 1])
    points = [(x, MIDDLE + level * rng.choice([14, 14, 42])) for x in spread(count, LEFT, RIGHT)]
    start, end = 0, rng.choice([count - 1, count - 2])
    edge = TOP if level > 0 else BOTTOM
    back = [points[end], (points[end][0], edge), (points[start][0], edge), points[start]]
    marks = [flow(Tone.THIN, a, b) for a, b in pairwise(points)]
    marks.append(bend(Tone.ACCENT, back))
    marks += brake(Tone.ACCENT, ((points[start][0] + points[end][0]) / 2, edge))
    full = rng.randrange(1, count - 1)
    for _ in range(rng.choice([1, 2])):
        leaf = (points[full][0] + rng.choice([-24, 24]), MIDDLE + level * 66)
        marks += [flow(Tone.THIN, points[full], leaf), circle(Tone.SOLID, leaf, 4)]
    return marks + [stock(at) if index == full else stage(rng, at) for index, at in enumerate(points)]


def layers(rng: random.Random) -> list[Mark]:
    """Inference: layers of units, connected one to the next, and the one path that won."""
    counts = [rng.choice([2, 3]), rng.choice([3, 4]), rng.choice([2, 3, 4]), rng.choice([1, 2])]
    columns: list[list[Point]] = []
    for x, count in zip(spread(len(counts), LEFT, RIGHT), counts, strict=True):
        squeeze = (0, 0, 24, 8, 0)[count]
        columns.append([(x, y) for y in spread(count, TOP + squeeze, BOTTOM - squeeze)])
    path = [rng.choice(column) for column in columns]
    size = rng.choice([5, 6, 7])
    marks = links(Tone.THIN, columns) + [flow(Tone.ACCENT, a, b) for a, b in pairwise(path)]
    marks += [circle(Tone.NODE, at, size) for column in columns for at in column if at not in path]
    marks += [circle(Tone.GATE, at, size) for at in path[:-1]]
    return [*marks, circle(Tone.LIVE, path[-1], size + 3)]


def attention(rng: random.Random) -> list[Mark]:
    """Attention: a row of tokens, and how far back the last of them looks."""
    count = rng.choice([7, 8, 9])
    places = spread(count, LEFT, RIGHT)
    ground = BOTTOM - 14
    looked_at = sorted(rng.sample(range(count - 2), rng.choice([3, 4])))
    strongest = rng.choice(looked_at[:2])
    marks = []
    for index in looked_at:
        height = (ground - TOP) * (places[-1] - places[index]) / (RIGHT - places[looked_at[0]])
        tone = Tone.ACCENT if index == strongest else Tone.THIN
        marks.append(hop(tone, (places[index], ground), (places[-1], ground), height))
    for index, x in enumerate(places[:-1]):
        tone = Tone.SOLID if index in looked_at and index != strongest else Tone.NODE
        marks.append(box(tone, (x, ground), 13, 13))
    marks.append(line(Tone.DASHED, (MARGIN, HEIGHT - MARGIN), (WIDTH - MARGIN, HEIGHT - MARGIN)))
    return [*marks, box(Tone.LIVE, (places[-1], ground), 16, 16)]


def branches(rng: random.Random) -> list[Mark]:
    """Craft: a trunk of small steps, branches that leave it, and the one that was merged."""
    steps = spread(rng.choice([6, 7, 8]), LEFT, RIGHT)
    trunk = rng.choice(sorted(LANES))
    lanes = rng.sample(LANES[trunk][:2], 2) + rng.sample(LANES[trunk][2:], min(1, len(LANES[trunk][2:])))
    marks, dots = [line(Tone.THIN, (MARGIN, trunk), (WIDTH - MARGIN, trunk))], [(x, trunk) for x in steps]
    for index, y in enumerate(lanes):
        start = rng.randrange(len(steps) - 4)
        end = rng.randrange(start + 3, len(steps))
        tone = Tone.THIN if index else Tone.ACCENT
        first, last = (steps[start + 1], y), (steps[end - 1], y)
        marks += [flow(tone, (steps[start], trunk), first), line(tone, first, last)]
        if index == 0:
            marks.append(flow(tone, last, (steps[end], trunk)))
        dots += [(x, y) for x in steps[start + 1 : end]]
    return marks + [circle(rng.choice([Tone.NODE, Tone.NODE, Tone.SOLID]), dot, 5) for dot in dots]
