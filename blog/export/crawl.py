"""Every public address, found by following links from the first ones, fetched and written on all cores."""

import gc
import multiprocessing
import os
import signal
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from flask import Flask

from blog.errors import BlogError
from blog.export import ahead, tree
from blog.export.fetch import Fetched, Headers, fetch
from blog.export.inputs import Inputs
from blog.export.links import found_in
from blog.web import codings
from blog.web.ahead import KEY

#: Addresses handed to a process at once, and how many such parcels each has before it.
PARCEL, SMALLEST = 50, 5
WAITING = 2
#: Starting processes takes as long as making this many pages; copying this one, as making a few dozens.
FEW, FEWER = 1_500, 200
#: A page leaves some hundred objects in circles: looked for after every few hundred pages, not after each.
COLLECTING = (50_000, 20, 100)

#: A page of a list names only the next one. Such pages go first: the last would be made alone at the end.
STEP = "/page/"

Address = tuple[str, str]


@dataclass(frozen=True)
class Plan:
    """What to export: the application, the site's own address, and the folders."""

    open_app: Callable[[], Flask]
    origin: str
    root: Path
    former: tree.Former
    inputs: Inputs
    #: What the former export knows by path: the query it was named with, its file, its headers.
    known: dict[str, "Written"] = field(default_factory=dict)
    without: tuple[str, ...] = ()

    @property
    def host(self) -> str:
        """The site's host, with the port."""
        return self.origin.partition("://")[2]


@dataclass(frozen=True)
class Written:
    """One address as it was exported; `file` is None where there is nothing to write."""

    path: str
    query: str
    status: int
    file: str | None = None
    content_type: str = ""
    #: Those that a web server cannot tell from the file itself.
    headers: Headers = ()
    target: str = ""
    size: int = 0
    #: The mark of what it was made from (see `inputs`); empty where that is not known.
    inputs: str = ""
    same: bool = False


#: What became of an address, and which others it names, each with its query.
Done = tuple[Written, dict[str, str]]
Result = tuple[list[Written], dict[str, str]]
Told = Callable[[int, int], None]


def crawl(
    plan: Plan, app: Flask, seeds: list[str], workers: int | None = None, told: Told | None = None
) -> list[Written]:
    """Export everything that can be reached from `seeds`; `app` is this process's own application."""
    seen = dict.fromkeys(seeds, "")
    waiting = deque(seen.items())
    done: list[Written] = []
    worker = Worker(plan, app)
    workers = workers or os.cpu_count() or 1
    while waiting:
        if workers > 1 and len(waiting) > (FEWER if _is_alone() else FEW):
            for result in _in_processes(worker, waiting, workers):
                _take(result, done, seen, waiting, told)
            continue
        _take(worker.export(_parcel(waiting)), done, seen, waiting, told)
    return done


def _take(
    result: Result, done: list[Written], seen: dict[str, str], waiting: deque[Address], told: Told | None
) -> None:
    written, links = result
    done += written
    for path, query in links.items():
        if path not in seen:
            seen[path] = query
            put = waiting.appendleft if STEP in path else waiting.append
            put((path, query))
    if told:
        told(len(done), len(seen))


def _parcel(waiting: deque[Address], workers: int = 1) -> list[Address]:
    # Smaller ones at the end, so that all processes are done at nearly the same time.
    size = min(PARCEL, max(len(waiting) // (WAITING * workers), SMALLEST), len(waiting))
    return [waiting.popleft() for _ in range(size)]


def _in_processes(worker: "Worker", waiting: deque[Address], workers: int) -> Iterator[Result]:
    """Yield results as they come; what the taker adds to `waiting` meanwhile is handed out too."""
    running: set[Future[Result]] = set()
    with _pool(worker, workers) as pool:
        while waiting or running:
            while waiting and len(running) < workers * WAITING:
                running.add(pool.submit(_export, _parcel(waiting, workers)))
            finished, running = wait(running, return_when=FIRST_COMPLETED)
            for future in finished:
                yield future.result()


def _pool(worker: "Worker", workers: int) -> ProcessPoolExecutor:
    """Return processes that go on with what this one has loaded, or load it anew where that is not safe."""
    if not _is_alone():
        spawn = multiprocessing.get_context("spawn")
        return ProcessPoolExecutor(workers, spawn, initializer=_begin, initargs=(worker.plan,))
    worker.disconnect()
    fork = multiprocessing.get_context("fork")
    return ProcessPoolExecutor(workers, fork, initializer=_go_on, initargs=(worker,))


def _is_alone() -> bool:
    """Whether this process has one thread: a copy of one with more may stand still for ever."""
    tasks = Path("/proc/self/task")
    return tasks.is_dir() and len(list(tasks.iterdir())) == 1


class Worker:
    """Exports addresses with an application of its own; names each address it finds only once."""

    def __init__(self, plan: Plan, app: Flask) -> None:
        self.plan, self._app = plan, app
        self._named: set[str] = set()
        self._to_be_prepared: list[tuple[str, Fetched]] = []

    def disconnect(self) -> None:
        """Close what two processes may not share."""
        self._app.extensions["blog"].database.dispose()

    def export(self, parcel: list[Address]) -> Result:
        """Fetch and write some addresses; return what they were and what they lead to."""
        written: list[Written] = []
        links: dict[str, str] = {}
        self._to_be_prepared.clear()
        read = ahead.read(self._app.extensions["blog"], [path for path, _ in parcel])
        # What the pages of an application have in common, such as their language, is then found out once.
        with self._app.app_context():
            for path, query in parcel:
                done, found = self._one(path, query, read)
                written.append(done)
                links |= found
        # By themselves: compressing wants the processor's cache, and so does making pages.
        for name, fetched in self._to_be_prepared:
            tree.write(self.plan.root, name, fetched)
        return written, links

    def _one(self, path: str, query: str, read: dict[str, Any]) -> Done:
        if path.startswith(self.plan.without):
            return Written(path, query, 0), {}
        inputs = self.plan.inputs.of(read[path]) if path in read else ""
        return self._taken_over(path, query, inputs) or self._made(path, query, read, inputs)

    def _taken_over(self, path: str, query: str, inputs: str) -> Done | None:
        """Link what must be the same without making it; return None if that is not known."""
        plan, known = self.plan, self.plan.known.get(path)
        if known is None or known.file is None:
            return None
        # An address with a version in it always means the same bytes.
        if (known.query, known.inputs) != (query, inputs) or not (query or inputs):
            return None
        body = plan.former.take_over(plan.root, known.file, known.content_type)
        if body is None:
            return None
        return replace(known, same=True), self._links(body, known.content_type, path)

    def _made(self, path: str, query: str, read: dict[str, Any], inputs: str) -> Done:
        plan = self.plan
        fetched = fetch(self._app, path, query, plan.host, {KEY: read[path]} if path in read else None)
        if fetched.status >= 500:
            raise BlogError(f"{path} answered {fetched.status}; nothing was exported, see the log above")
        if fetched.status in (301, 302, 307, 308):
            return Written(path, query, fetched.status, target=fetched.header("location")), {}
        public = "public" in fetched.header("cache-control")
        name = tree.name_of(path, fetched.content_type) if fetched.status == 200 and public else None
        if name is None:
            return Written(path, query, fetched.status), {}
        same = plan.former.take_over(plan.root, name, fetched.content_type, fetched.body) is not None
        if not same and codings.is_worth_it(fetched.body, fetched.content_type):
            self._to_be_prepared.append((name, fetched))
        elif not same:
            tree.write(plan.root, name, fetched)
        kind, size = fetched.content_type, len(fetched.body)
        told = fetched.to_be_told
        written = Written(path, query, 200, name, kind, told, size=size, inputs=inputs, same=same)
        return written, self._links(fetched.body, kind, path)

    def _links(self, body: bytes, kind: str, path: str) -> dict[str, str]:
        return found_in(body, kind, path, self.plan.origin, self._named)


_workers: list[Worker] = []


def _begin(plan: Plan) -> None:
    _go_on(Worker(plan, plan.open_app()))


def _go_on(worker: Worker) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the one who started us
    _workers.append(worker)
    # What the program itself is made of stays; looking through it for garbage took a tenth of the time.
    gc.freeze()
    gc.set_threshold(*COLLECTING)


def _export(parcel: list[Address]) -> Result:
    return _workers[0].export(parcel)
