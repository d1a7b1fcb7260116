"""How far a long command is, drawn on the terminal of a person who waits; for everybody else, nothing."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from blog.content.progress import Progress as Told

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress

PATIENCE_SECONDS = 1.0


@contextmanager
def bar(doing: str, console: "Console | None" = None) -> Iterator[Told | None]:
    """Give what a command tells how many of how many are done; shown after a second, on standard error."""
    if not (console.is_terminal if console else sys.stderr.isatty()):
        yield None
        return
    shown = _Bar(doing, console)
    try:
        yield shown.told
    finally:
        shown.stop()


class _Bar:
    def __init__(self, doing: str, console: "Console | None") -> None:
        self._doing, self._console = doing, console
        self._drawn: Progress | None = None
        self._since = time.monotonic()

    def told(self, done: int, total: int) -> None:
        if self._drawn is None and time.monotonic() - self._since > PATIENCE_SECONDS:
            self._drawn = _drawn(self._doing, self._console)
            self._drawn.add_task("", total=total)
            self._drawn.start()
        if self._drawn:
            self._drawn.update(self._drawn.task_ids[0], completed=done, total=total)

    def stop(self) -> None:
        if self._drawn:
            self._drawn.stop()


def _drawn(doing: str, console: "Console | None") -> "Progress":
    # Only now: most commands are done before anybody would need a bar, and drawing takes long to get ready.
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn(doing), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    return Progress(*columns, console=console or Console(stderr=True), transient=True)
