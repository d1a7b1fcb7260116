"""Looking for garbage seldom, where ten thousand values are made to stay; and giving memory back."""

import ctypes
import gc
from collections.abc import Iterator
from contextlib import contextmanager

#: Of what is read of the files, nearly all is kept: looking through it again and again finds nothing.
SELDOM = (50_000, 20, 100)


def look_seldom() -> None:
    """Look for garbage seldom from now on; for a process that does nothing else."""
    gc.set_threshold(*SELDOM)


@contextmanager
def seldom() -> Iterator[None]:
    """Look for garbage seldom for a while."""
    usual = gc.get_threshold()
    look_seldom()
    try:
        yield
    finally:
        gc.set_threshold(*usual)


def give_back() -> None:
    """Give the system the memory of what nobody holds any more; glibc would keep it."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim:
        trim(0)
