"""The kinds of system that a sketch can show: a few for each kind of topic, and the states of the site."""

import random
from collections.abc import Callable

from blog.site.marks import Mark
from blog.site.motifs import flows, safety, states

Motif = Callable[[random.Random], list[Mark]]

MOTIFS: dict[str, tuple[Motif, ...]] = {
    "boundaries": (safety.boundary, safety.rings),
    "branches": (flows.branches,),
    "copies": (safety.copies,),
    "layers": (flows.layers, flows.attention),
    "loops": (flows.loop, flows.chain),
    "recovery": (safety.retries, safety.damping, safety.failover),
}
STATES: dict[str, Motif] = {"closed": states.closed, "letter": states.letter, "lost": states.lost}
