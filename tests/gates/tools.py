"""The programs that the gates need and the product does not."""

import json
import os
import subprocess
from pathlib import Path
from typing import Any, TypeVar

import pytest

HERE = Path(__file__).parent
MODULES = HERE / "node_modules"
Found = TypeVar("Found")


def needed(found: Found | None, package: str, more: str = "") -> Found:
    """Return what was found, or skip the test with a line that names the package; where CI is set, fail."""
    if not found:
        message = f"the gates need the package `{package}`" + (f": {more}" if more else "")
        (pytest.fail if os.environ.get("CI") else pytest.skip)(message)
    return found


def run_script(node: str, script: str, *arguments: str, **environment: str) -> list[Any]:
    """Run a script of this folder by Node.js and return the lines of JSON that it printed."""
    done = subprocess.run(
        [node, HERE / script, *arguments], capture_output=True, text=True, timeout=400, check=False, cwd=HERE,
        env={**os.environ, **environment},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def none_of(complaints: list[str]) -> None:
    """Fail with every complaint on a line of its own."""
    assert not complaints, "\n" + "\n".join(complaints)
