"""Every link and fragment that a reader can come to leads somewhere, by linkinator."""

import pytest

from tests.browser.gallery import Stage
from tests.gates.conftest import Seeded
from tests.gates.tools import none_of, run_script

pytestmark = pytest.mark.gates


def test_no_link_is_broken(node: str, gallery: Stage, served: str) -> None:
    starts = [
        served + name for name in ("/", "/archive", "/topics", "/series", "/authors", "/feeds", "/digests")
    ]
    [told] = run_script(node, "links.mjs", *starts)
    print(f"{told['checked']} addresses checked")
    none_of(told["broken"])
    assert told["checked"] > 150


def test_broken_links_and_fragments_are_found(node: str, seeded: Seeded) -> None:
    [told] = run_script(node, "links.mjs", f"{seeded.site}/")
    broken = {line.partition(": ")[2].partition(" ")[0].removeprefix(seeded.site) for line in told["broken"]}
    assert broken == {"/gone", "/nowhere.png", "/#missing"}
