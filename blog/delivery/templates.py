"""The frozen messages of an issue, as its sender needs them: a thousand editions, in no order at all."""

import zlib
from collections import OrderedDict
from functools import lru_cache

from blog.db import Database
from blog.delivery import ledger, splice

#: Packed, an edition of 32 KB takes a fifth: room for some two thousand.
MOST_BYTES = 16 * 1024 * 1024
#: Those that are ready to be filled; an issue of a few editions needs no more.
READY = 64
_PACKING = 1


class Templates:
    """Reads each variant once, for all connections, and keeps it packed while there is room.

    To read a message from PostgreSQL for each recipient was half of what a sender did (`benchmarks.million`).
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._packed: OrderedDict[int, bytes] = OrderedDict()
        #: What is kept takes so much.
        self.packed_bytes = 0
        #: Returns a variant's message, ready to be filled.
        self.segments = lru_cache(READY)(self._segments)

    def _segments(self, variant_id: int) -> splice.Segments:
        packed = self._packed.get(variant_id)
        if packed is not None:
            self._packed.move_to_end(variant_id)
            return splice.split(zlib.decompress(packed))
        with self._database.reading() as session:
            template = ledger.template(session, variant_id)
        self._keep(variant_id, zlib.compress(template, _PACKING))
        return splice.split(template)

    def _keep(self, variant_id: int, packed: bytes) -> None:
        self._packed[variant_id] = packed
        self.packed_bytes += len(packed)
        while self.packed_bytes > MOST_BYTES:
            self.packed_bytes -= len(self._packed.popitem(last=False)[1])
