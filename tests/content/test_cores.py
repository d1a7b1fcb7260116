"""Rendering on all cores goes on in one process where others cannot be started."""

import subprocess
import sys
from pathlib import Path

# Spawned processes import the main module first, and here that ends them at once.
SCRIPT = """
if __name__ != "__main__":
    raise SystemExit(3)
from pathlib import Path
from blog.content.cores import FEW, make_all
from blog.content.markup import Text
from blog.content.references import Shelf
from blog.content.witness import make
texts = [Text(f"articles/{number}.md", "Text.") for number in range(FEW + 1)]
shelf = Shelf(Path("."), {f"articles/{number:0100}.md": f"{number:0100}" for number in range(2_000)})
print(len([made for made in make_all(texts, shelf, make, 2) if made.outcome.words == 1]))
"""


def test_processes_that_end_before_they_begin_keep_nobody_waiting(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(SCRIPT)
    done = subprocess.run(
        [sys.executable, str(script)], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.stdout.strip() == "65", done.stderr
