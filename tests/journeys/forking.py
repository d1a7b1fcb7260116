"""Runs `blog` commands, each in a process of its own, forked from one that has loaded the code already.

Loading takes a second, a command of a journey a tenth of one, and a journey has dozens of them.
"""

import os
import sys
import tempfile
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

from blog.cli import COMMANDS, main

LONGEST = 120.0

_processes = get_context("forkserver")
_MODULES = [f"blog.cli.{place.partition(':')[0]}" for place in COMMANDS.values()]
_processes.set_forkserver_preload([__name__, *_MODULES])


@dataclass(frozen=True)
class Done:
    """How a command ended, and what it said."""

    code: int | None
    said: str
    complained: str


def run(arguments: tuple[str, ...], environment: dict[str, str]) -> Done:
    """Run a command to its end in this environment and no other."""
    with tempfile.TemporaryDirectory() as folder:
        said, complained = Path(folder, "stdout"), Path(folder, "stderr")
        process = _processes.Process(target=_become, args=(arguments, environment, said, complained))
        process.start()
        process.join(LONGEST)
        if process.is_alive():
            process.kill()
            process.join()
        return Done(process.exitcode, said.read_text(), complained.read_text())


def _become(arguments: tuple[str, ...], environment: dict[str, str], said: Path, complained: Path) -> None:
    for stream, path in ((1, said), (2, complained)):
        file = os.open(path, os.O_WRONLY | os.O_CREAT)
        os.dup2(file, stream)
        os.close(file)
    os.environ.clear()
    os.environ.update(environment)
    sys.argv = ["blog", *arguments]
    main()
