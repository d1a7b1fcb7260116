"""Every page as it is sent is faultless HTML, by the Nu checker of the W3C."""

import json
import subprocess
from pathlib import Path

import pytest

from tests.gates.conftest import Seeded
from tests.gates.tools import MODULES, none_of
from tests.gates.visits import Visit

pytestmark = pytest.mark.gates

CHECKER = MODULES / "vnu-jar" / "build" / "dist" / "vnu.jar"


def complaints(java: str, folder: Path, visits: list[Visit]) -> list[str]:
    """Return what the checker says about the sources, errors and warnings alike."""
    for made in visits:
        (folder / f"{made.name}.html").write_text(made.source)
    done = subprocess.run(
        [java, "-Xss4m", "-jar", CHECKER, "--format", "json", "--exit-zero-always", *folder.glob("*.html")],
        capture_output=True, text=True, timeout=200, check=True,
    )  # fmt: skip
    said = json.loads(done.stderr)["messages"]
    return [f"{Path(one['url']).stem}:{one.get('lastLine', 0)}: {one['message']}" for one in said]


def test_the_markup_of_every_page_is_faultless(
    java: str, node: str, tmp_path: Path, visits: list[Visit]
) -> None:
    none_of(complaints(java, tmp_path, visits))


def test_faults_in_markup_are_found(java: str, node: str, tmp_path: Path, seeded: Seeded) -> None:
    said = "\n".join(complaints(java, tmp_path, [seeded.visit]))
    for fault in ("Duplicate ID", "must not be empty", "No “p” element in scope", "must have an “alt”"):
        assert fault in said, said
