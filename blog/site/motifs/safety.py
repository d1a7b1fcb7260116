"""Systems that hold: boundaries, recovery, and copies that can be counted."""

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
    box,
    circle,
    flow,
    hop,
    line,
    on_ellipse,
    spread,
)
from blog.site.motifs.parts import BOTTOM, LEFT, MIDDLE, RIGHT, TOP, queue, record, stage, stopped


def boundary(rng: random.Random) -> list[Mark]:
    """Trust: what asks outside, what is kept inside, and the one gate between them."""
    wall, edge = rng.choice([92.0, 104.0, 116.0]), WIDTH - MARGIN
    inside = box(
        Tone.DASHED, ((wall + edge) / 2, MIDDLE), edge - wall, HEIGHT - 2 * MARGIN, rng.choice([4, 18])
    )
    outside = [(LEFT, y) for y in spread(rng.choice([3, 4]), TOP, BOTTOM)]
    admitted = rng.randrange(len(outside))
    gate = (wall, min(max(outside[admitted][1], MIDDLE - 30), MIDDLE + 30))
    kept = [(rng.choice([150.0, 160.0]), y) for y in spread(rng.choice([2, 3]), TOP + 18, BOTTOM - 18)]
    core = (RIGHT - 18, rng.choice([MIDDLE - 18, MIDDLE, MIDDLE + 18]))
    marks = [inside]
    for index, asker in enumerate(outside):
        end = gate if index == admitted else (wall - 16, asker[1])
        marks.append(flow(Tone.ACCENT if index == admitted else Tone.THIN, asker, end))
        marks += [] if index == admitted else stopped(end)
    marks += [flow(Tone.THIN, gate, store) for store in kept] + [flow(Tone.THIN, at, core) for at in kept]
    marks += [circle(Tone.NODE, asker, rng.choice([5, 6, 7])) for asker in outside]
    marks += [stage(rng, store) for store in kept]
    return [*marks, box(Tone.STRONG, core, 22, 22), box(Tone.LIVE, gate, 12, 12)]


def rings(rng: random.Random) -> list[Mark]:
    """Defence in depth: walls around a core, and the way in that passes a gate in each."""
    centre = (rng.choice([136.0, 150.0, 164.0]), MIDDLE)
    radii = [26.0, 46.0, MIDDLE - MARGIN - 1]
    marks = [
        circle(tone, centre, r) for tone, r in zip((Tone.STRONG, Tone.NODE, Tone.NODE), radii, strict=True)
    ][::-1]
    angle = math.pi + rng.choice([-0.5, -0.25, 0.25, 0.5])
    gates = [
        on_ellipse(centre, (r, r), angle + turn) for r, turn in zip(radii[::-1], (0, 0.35, 0.1), strict=True)
    ]
    way = [(LEFT, gates[0][1]), *gates]
    marks += [line(Tone.ACCENT, a, b) for a, b in pairwise(way)]
    for turn in rng.sample([-1.2, -0.9, 0.9, 1.2], 2):
        asker = (LEFT, MIDDLE + turn * 48)
        end = (centre[0] - math.sqrt(radii[2] ** 2 - (asker[1] - MIDDLE) ** 2) - 10, asker[1])
        marks += [line(Tone.THIN, asker, end), *stopped(end), circle(Tone.NODE, asker, 5)]
    exits = on_ellipse(centre, (radii[2], radii[2]), rng.choice([-0.6, 0.0, 0.6]))
    marks += [line(Tone.DASHED, exits, (WIDTH - MARGIN, exits[1])), circle(Tone.SOLID, exits, 5)]
    marks += [box(Tone.GATE, gate, 9, 9) for gate in gates]
    return [*marks, circle(Tone.NODE, way[0], 7), circle(Tone.LIVE, centre, rng.choice([8, 10]))]


def retries(rng: random.Random) -> list[Mark]:
    """Back-off: tries at growing distances, the last of which holds, above a queue that drains."""
    ratio, count = rng.choice([1.5, 1.7, 2.0]), rng.choice([4, 5])
    gaps = [ratio**index for index in range(count)]
    unit, places = (RIGHT - LEFT) / sum(gaps), [float(LEFT)]
    for gap in gaps:
        places.append(places[-1] + gap * unit)
    ground = rng.choice([MIDDLE + 16, MIDDLE + 26])
    marks = [line(Tone.THIN, (MARGIN, ground), (WIDTH - MARGIN, ground))]
    for start, end in pairwise(places):
        height = (ground - MARGIN - 2) * (end - start) / (gaps[-1] * unit)
        tone = Tone.ACCENT if end == places[-1] else Tone.THIN
        marks.append(hop(tone, (start, ground), (end, ground), height))
    marks += [circle(Tone.NODE, (x, ground), 6) for x in places[:-1]]
    return [*marks, circle(Tone.LIVE, (places[-1], ground), 8), *queue(rng, HEIGHT - MARGIN - 8)]


def damping(rng: random.Random) -> list[Mark]:
    """Control: a value that swings around its target, less each time, until it rests."""
    count, decay = rng.choice([4, 5, 6]), rng.choice([0.55, 0.65, 0.72])
    places = spread(count + 1, LEFT, RIGHT - rng.choice([20, 40]))
    side = rng.choice([-1, 1])
    marks = [line(Tone.DASHED, (MARGIN, MIDDLE), (WIDTH - MARGIN, MIDDLE))]
    for index, (start, end) in enumerate(pairwise(places)):
        height = side * (MIDDLE - MARGIN - 2) * decay**index
        marks.append(hop(Tone.THIN, (start, MIDDLE), (end, MIDDLE), height))
        marks.append(circle(Tone.NODE, ((start + end) / 2, MIDDLE - height), 6 if index < 2 else 4))
        side = -side
    marks.append(line(Tone.ACCENT, (places[-1], MIDDLE), (WIDTH - MARGIN, MIDDLE)))
    return [*marks, circle(Tone.SOLID, (places[0], MIDDLE), 6), circle(Tone.LIVE, (places[-1], MIDDLE), 8)]


def failover(rng: random.Random) -> list[Mark]:
    """Standby: a line that breaks, and the work that goes on along another."""
    lanes = [TOP + 6, MIDDLE, BOTTOM - 6]
    broken, rescue = rng.choice([(0, 1), (1, 0), (1, 2), (2, 1)])
    places = spread(rng.choice([5, 6]), LEFT, RIGHT)
    at = rng.choice([1, 2])
    marks = [line(Tone.THIN, (MARGIN, y), (WIDTH - MARGIN, y)) for i, y in enumerate(lanes) if i != broken]
    y, other = lanes[broken], lanes[rescue]
    gone = (places[at] + places[at + 1]) / 2
    marks += [
        line(Tone.THIN, (MARGIN, y), (gone - 6, y)),
        line(Tone.DASHED, (gone + 8, y), (WIDTH - MARGIN, y)),
    ]
    marks += [line(Tone.THIN, (gone - d, y - 6), (gone + d, y + 6)) for d in (-6, 6)]
    marks.append(flow(Tone.ACCENT, (places[at], y), (places[at + 1], other)))
    marks.append(line(Tone.ACCENT, (places[at + 1], other), (WIDTH - MARGIN, other)))
    for index, lane in enumerate(lanes):
        kept = places[: at + 1] if index == broken else rng.sample(places, 3)
        marks += [stage(rng, (x, lane)) for x in kept if (x, lane) != (places[at + 1], other)]
    return [*marks, circle(Tone.LIVE, (places[at + 1], other), 8)]


def copies(rng: random.Random) -> list[Mark]:
    """Privacy: one record, the places it was copied to, and the copy that has been erased."""
    source = (LEFT + 10, rng.choice([MIDDLE - 20, MIDDLE, MIDDLE + 20]))
    hub: Point = (rng.choice([88.0, 100.0]), source[1])
    stores = [(rng.choice([158.0, 172.0]), y) for y in spread(rng.choice([3, 4, 5]), TOP, BOTTOM)]
    erased = rng.choice(stores)
    marks = [line(Tone.THIN, source, hub)]
    for store in stores:
        marks.append(flow(Tone.ACCENT if store == erased else Tone.THIN, hub, store))
        if store != erased:
            marks += _onward(rng, store)
    x, y = erased
    marks += [circle(Tone.GATE, (x, y), 8), line(Tone.ACCENT, (x - 5.5, y + 5.5), (x + 5.5, y - 5.5))]
    marks.append(line(Tone.DASHED, (x + 14, y), (WIDTH - MARGIN, y)))
    return [*marks, *record(source), circle(Tone.NODE, hub, 6)]


def _onward(rng: random.Random, store: Point) -> list[Mark]:
    marks = []
    if rng.random() < 0.6:
        end = (RIGHT, store[1])
        marks = [line(Tone.THIN, store, end), circle(Tone.SOLID, end, 4)]
    return [*marks, stage(rng, store)]
