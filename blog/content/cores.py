"""Texts rendered: one after the other when they are few, on all cores when they are many."""

import multiprocessing
import os
import pickle
import signal
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypeVar

from blog.content.markup import Text
from blog.content.references import Shelf

#: Starting processes takes as long as rendering some dozens of texts.
FEW = 64
_AT_ONCE = 16

Outcome = TypeVar("Outcome")
Make = Callable[[Text, Shelf], Outcome]

#: What a process that was started here makes of texts, and with which shelf.
_work: list[tuple[Callable[[Text, Shelf], Any], Shelf]] = []


def make_all(
    texts: Sequence[Text], shelf: Shelf, make: Make[Outcome], workers: int | None = None
) -> Iterator[Outcome]:
    """Yield what `make` gives for each text, in their order; it is copied into other processes."""
    workers = workers or os.cpu_count() or 1
    done = 0
    if len(texts) > FEW and workers > 1 and not multiprocessing.current_process().daemon:
        try:
            for made in _in_processes(texts, shelf, make, min(workers, len(texts) // (FEW // 2))):
                yield made
                done += 1
        except (BrokenProcessPool, OSError):
            pass  # no processes here (a sandbox, no memory): what is left is rendered in this one
    for text in texts[done:]:
        yield make(text, shelf)


def _in_processes(
    texts: Sequence[Text], shelf: Shelf, make: Make[Outcome], workers: int
) -> Iterator[Outcome]:
    # Spawned and not forked: a copy of a process with threads may stand still for ever.
    context = multiprocessing.get_context("spawn")
    with TemporaryDirectory(prefix="blog-shelf-") as folder:
        # By a file: what a new process is given by pipe is waited for, for ever if it died before reading it.
        path = Path(folder) / "shelf"
        path.write_bytes(pickle.dumps((make, shelf)))
        with ProcessPoolExecutor(workers, context, initializer=_begin, initargs=(path,)) as pool:
            yield from pool.map(_made, texts, chunksize=_AT_ONCE)


def _begin(path: Path) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the one who started us
    _work.append(pickle.loads(path.read_bytes()))  # noqa: S301  # written by the process that started us


def _made(text: Text) -> Any:
    make, shelf = _work[0]
    return make(text, shelf)
