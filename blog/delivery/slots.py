"""A worker's place on this host: while its lock is held, nobody else works there.

Whoever takes a slot knows that its last holder is dead, so what that one left behind can be settled at once
instead of after the lease.
"""

import fcntl
import hashlib
import os
import secrets
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from blog.delivery.states import Owner

MOST_SLOTS = 256


@contextmanager
def slot(folder: Path) -> Iterator[Owner]:
    """Hold the lowest free slot under `folder` and yield the owner that works in it."""
    folder.mkdir(parents=True, exist_ok=True)
    place = hashlib.sha256(str(folder.resolve()).encode()).hexdigest()[:8]
    for number in range(MOST_SLOTS):
        descriptor = os.open(folder / f"{number}.lock", os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            continue
        try:
            name = f"{socket.gethostname()}:{place}/{number}"
            yield Owner(slot=name[-96:], token=f"{name[-64:]}/{secrets.token_hex(12)}")
        finally:
            os.close(descriptor)
        return
    raise RuntimeError(f"all {MOST_SLOTS} worker slots under {folder} are taken")
