"""Files read and texts rendered: one after the other when they are few, on all cores when they are many."""

import multiprocessing
import os
import pickle
import signal
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from types import TracebackType
from typing import Any, TypeVar

from blog.content.garbage import look_seldom
from blog.content.markup import Text
from blog.content.references import Shelf

#: Starting processes takes as long as rendering some dozens of texts.
FEW = 64
_AT_ONCE = 16
#: A header is read in a tenth of the time that a text is rendered in.
_LOT = 50

Item = TypeVar("Item")
Outcome = TypeVar("Outcome")
Make = Callable[[Text, Shelf], Outcome]

#: What a process that was started here makes of texts, and with which shelf; and the file that says so.
_given: list[Path] = []
_work: list[tuple[Callable[[Text, Shelf], Any], Shelf]] = []


class Cores:
    """Processes on all cores, which can begin before there are texts; to be used by `with`, it ends them."""

    def __init__(self, workers: int | None = None) -> None:
        self._workers = workers or os.cpu_count() or 1
        self._begun: tuple[ProcessPoolExecutor, TemporaryDirectory[str]] | None = None

    def __enter__(self) -> "Cores":
        return self

    def __exit__(self, *_why: type[BaseException] | BaseException | TracebackType | None) -> None:
        if self._begun:
            pool, folder = self._begun
            pool.shutdown(cancel_futures=True)
            folder.cleanup()

    def begin(self, texts: int) -> None:
        """Start processes if they pay for so many texts: getting ready takes them half a second."""
        if self._begun is None and self._pays(texts):
            # A value that is wrong: a pipe of one that has died at once, closed while the next is given it.
            with suppress(BrokenProcessPool, OSError, ValueError):
                self._start(min(self._workers, texts // (FEW // 2)))

    def share(self, items: Sequence[Item], make: Callable[[Item], Outcome]) -> Iterator[Outcome]:
        """Yield what `make` gives for each item, in their order.

        This process makes it from the first on, the others from the last, until they meet: so none waits
        while the others get ready.
        """
        lots = [items[start : start + _LOT] for start in range(0, len(items), _LOT)]
        for lot, elsewhere in zip(lots, self._handed_out(lots, make), strict=True):
            yield from _taken(elsewhere) or map(make, lot)

    def _handed_out(
        self, lots: Sequence[Sequence[Item]], make: Callable[[Item], Outcome]
    ) -> Sequence["Future[list[Outcome]] | None"]:
        if not self._begun or not self._pays(sum(map(len, lots))):
            return [None] * len(lots)
        pool, _folder = self._begun
        try:
            return [pool.submit(_each, make, lot) for lot in reversed(lots)][::-1]
        except (BrokenProcessPool, OSError):
            return [None] * len(lots)

    def make_all(self, texts: Sequence[Text], shelf: Shelf, make: Make[Outcome]) -> Iterator[Outcome]:
        """Yield what `make` gives for each text, in their order; it is copied into the processes."""
        done = 0
        self.begin(len(texts))
        if self._begun and self._pays(len(texts)):
            pool, folder = self._begun
            try:
                _place(folder.name).write_bytes(pickle.dumps((make, shelf)))
                for made in pool.map(_made, texts, chunksize=_AT_ONCE):
                    yield made
                    done += 1
            except (BrokenProcessPool, OSError):
                pass  # no processes here (a sandbox, no memory): what is left is rendered in this one
        for text in texts[done:]:
            yield make(text, shelf)

    def _pays(self, texts: int) -> bool:
        return texts > FEW and self._workers > 1 and not multiprocessing.current_process().daemon

    def _start(self, workers: int) -> None:
        # Spawned and not forked: a copy of a process with threads may stand still for ever.
        context = multiprocessing.get_context("spawn")
        folder = TemporaryDirectory(prefix="blog-shelf-")
        pool = ProcessPoolExecutor(workers, context, initializer=_begin, initargs=(folder.name,))
        self._begun = pool, folder
        for _ in range(workers):
            pool.submit(os.getpid)  # each is started for the first that it has to do


def _taken(elsewhere: "Future[list[Outcome]] | None") -> list[Outcome] | None:
    """Return what another process makes, unless it has not begun: then it need not any more."""
    if elsewhere is None or elsewhere.cancel():
        return None
    try:
        return elsewhere.result()
    except (BrokenProcessPool, OSError):
        return None


def _each(make: Callable[[Item], Outcome], items: Sequence[Item]) -> list[Outcome]:
    return [make(item) for item in items]


def _place(folder: str) -> Path:
    # A file: what a new process is given by pipe is waited for, for ever if it died before reading it.
    return Path(folder) / "shelf"


def _begin(folder: str) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the one who started us
    look_seldom()
    _given.append(_place(folder))


def _made(text: Text) -> Any:
    if not _work:
        _work.append(pickle.loads(_given[0].read_bytes()))  # noqa: S301  # by the process that started us
    make, shelf = _work[0]
    return make(text, shelf)
