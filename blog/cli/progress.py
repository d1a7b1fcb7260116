"""How far a long command is, drawn on the terminal of a person who waits; for everybody else, nothing."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from blog.content.workshop import Progress as Told

PATIENCE_SECONDS = 1.0


@contextmanager
def bar(doing: str, console: Console | None = None) -> Iterator[Told | None]:
    """Give what a command tells how many of how many are done; shown after a second, on standard error."""
    console = console or Console(stderr=True)
    if not console.is_terminal:
        yield None
        return
    columns = (TextColumn(doing), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    shown = Progress(*columns, console=console, transient=True)
    try:
        yield _Bar(shown).told
    finally:
        shown.stop()


class _Bar:
    def __init__(self, shown: Progress) -> None:
        self._shown, self._task = shown, TaskID(shown.add_task("", total=None))
        self._since = time.monotonic()

    def told(self, done: int, total: int) -> None:
        self._shown.update(self._task, completed=done, total=total)
        if time.monotonic() - self._since > PATIENCE_SECONDS:
            self._shown.start()
