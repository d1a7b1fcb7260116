"""What is read and rendered on all cores comes back in its order, and from one process where others fail."""

import multiprocessing
import os
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from blog.content import walk
from blog.content.cores import FEW, Cores
from blog.content.defaults import Defaults
from blog.content.manuscripts import How, read_all
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
    print(len(list(cores.share(texts, str))), end=" ")
    print(len([made for made in cores.make_all(texts, shelf, make) if made.outcome.words == 1]))
"""


@pytest.mark.parametrize("begun_for", ["0", "1000"])
def test_processes_that_end_before_they_begin_keep_nobody_waiting(tmp_path: Path, begun_for: str) -> None:
    script = tmp_path / "script.py"
    script.write_text(SCRIPT)
    done = subprocess.run(
        [sys.executable, str(script), begun_for], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.stdout.strip() == "65 65", done.stderr


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


def doubled_slowly(number: int) -> tuple[int, int]:
    time.sleep(0.001)
    return 2 * number, os.getpid()


def test_what_is_shared_out_comes_back_in_its_order_whoever_has_made_it() -> None:
    with Cores(2) as cores:
        cores.begin(1_000)
        found = list(cores.share(range(1_000), doubled_slowly))
    assert [number for number, _ in found] == list(range(0, 2_000, 2))
    makers = [maker for _, maker in found]
    assert makers[0] == os.getpid() != makers[-1]


def test_files_are_read_alike_by_one_process_and_by_several(tmp_path: Path) -> None:
    (tmp_path / "articles" / "kept").mkdir(parents=True)
    (tmp_path / "articles" / "kept" / "_defaults.yaml").write_text("author: Ada\ntags: [notes]\n")
    for number in range(4 * FEW):
        folder = tmp_path / "articles" / ("kept" if number % 3 else "")
        text = "title: [" if number % 7 == 0 else f"title: T{number}\ndate: 2024-01-{number % 40 + 1:02}"
        (folder / f"{number}.md").write_text(f"---\n{text}\n---\n\nText {number}.")

    def read(cores: Cores | None) -> object:
        how = How(Defaults(tmp_path, UTC), "salt")
        now = datetime(2026, 1, 1, tzinfo=UTC)
        shelved = read_all(walk.articles(tmp_path), how, now, cores=cores)
        return shelved.manuscripts, shelved.problems, shelved.failed, how.defaults.problems

    with Cores(2) as cores:
        cores.begin(4 * FEW)
        assert read(cores) == read(None)
