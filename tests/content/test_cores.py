"""Rendering on all cores goes on in one process where others cannot be started."""

import multiprocessing
import subprocess
import sys
from pathlib import Path

import pytest

from blog.content.cores import FEW, Cores
from blog.content.markup import Text
from blog.content.references import Shelf
from blog.content.witness import make

# Spawned processes import the main module first, and here that ends them at once.
SCRIPT = """
if __name__ != "__main__":
    raise SystemExit(3)
import sys
from pathlib import Path
from blog.content.cores import FEW, Cores
from blog.content.markup import Text
from blog.content.references import Shelf
from blog.content.witness import make
texts = [Text(f"articles/{number}.md", "Text.") for number in range(FEW + 1)]
shelf = Shelf(Path("."), {f"articles/{number:0100}.md": f"{number:0100}" for number in range(2_000)})
with Cores(2) as cores:
    cores.begin(int(sys.argv[1]))
    print(len([made for made in cores.make_all(texts, shelf, make) if made.outcome.words == 1]))
"""


@pytest.mark.parametrize("begun_for", ["0", "1000"])
def test_processes_that_end_before_they_begin_keep_nobody_waiting(tmp_path: Path, begun_for: str) -> None:
    script = tmp_path / "script.py"
    script.write_text(SCRIPT)
    done = subprocess.run(
        [sys.executable, str(script), begun_for], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.stdout.strip() == "65", done.stderr


def test_processes_that_began_early_make_the_texts_and_are_gone_in_the_end(tmp_path: Path) -> None:
    texts = [Text(f"{number}.md", f"Text {number}.") for number in range(FEW + 1)]
    with Cores(2) as cores:
        cores.begin(FEW + 1)
        begun = multiprocessing.active_children()
        found = list(cores.make_all(texts, Shelf(tmp_path), make))
        assert multiprocessing.active_children() == begun
    assert len(begun) == 2
    assert found == [make(text, Shelf(tmp_path)) for text in texts]
    assert multiprocessing.active_children() == []


def test_for_few_texts_no_process_begins(tmp_path: Path) -> None:
    with Cores(2) as cores:
        cores.begin(FEW)
        assert len(list(cores.make_all([Text("a.md", "Text.")], Shelf(tmp_path), make))) == 1
        assert multiprocessing.active_children() == []
