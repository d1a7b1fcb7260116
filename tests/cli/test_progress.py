"""The bar of a long command: on a terminal, after a second, and nowhere else."""

import io
import time

import pytest
from rich.console import Console

from blog.cli import progress


def drawn(terminal: bool) -> str:
    """Return what is drawn for a command of three steps."""
    console = Console(file=io.StringIO(), force_terminal=terminal, width=80, _environ={})
    with progress.bar("Rendering", console) as told:
        for number in (1, 2, 3):
            if told:
                told(number, 3)
            time.sleep(0.01)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_on_a_terminal_a_long_run_is_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "PATIENCE_SECONDS", 0.0)
    assert "Rendering" in drawn(terminal=True)
    assert "3/3" in drawn(terminal=True)


def test_a_short_run_draws_nothing() -> None:
    assert drawn(terminal=True).strip() == ""


def test_where_nobody_looks_nothing_is_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "PATIENCE_SECONDS", 0.0)
    assert drawn(terminal=False) == ""
