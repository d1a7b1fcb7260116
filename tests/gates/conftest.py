"""Every kind of page in every state, each opened once, and the tools that judge them from outside."""

import functools
import logging
import shutil
import threading
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from blog.settings import ROOT
from tests.browser.conftest import BROWSERS, browser
from tests.browser.gallery import Stage, stage
from tests.gates.tools import MODULES, needed
from tests.gates.visits import Visit, tab, visit
from tests.journeys.installation import Installation, free_port
from tests.serving import SECRET

__all__ = ["browser"]  # a fixture, lent by the neighbours

SLOW = b"<script src=/heavy.js></script>"
#: What makes the faulty page heavy too.
HEAVY = b"<!--" + b"0123456789" * 5_000 + b"-->" + b"<br>" * 200 + b"<img src=/x.png>"
BUSY = b"\nfor (const end = performance.now() + 300; performance.now() < end;);"
HERE = Path(__file__).parent


@dataclass(frozen=True)
class Seeded:
    """A page full of faults behind a server of its own: what no gate lets through."""

    site: str
    visit: Visit


@pytest.fixture(scope="session")
def node() -> str:
    """Node.js with the packages of the lock beside it."""
    path = needed(shutil.which("node"), "nodejs")
    needed(MODULES.exists(), "npm", "`make gates` installs what it is to fetch")
    return path


@pytest.fixture(scope="session")
def java() -> str:
    """A Java for the markup checker."""
    return needed(shutil.which("java"), "default-jre-headless")


@pytest.fixture(scope="session")
def chromium() -> str:
    """The browser's path, for tools that start it themselves."""
    return needed(next(filter(None, map(shutil.which, BROWSERS)), None), "chromium")


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("gates")


@pytest.fixture(scope="session")
def gallery(migrated_sqlite: Path, folder: Path) -> Iterator[Stage]:
    """The sample publication with people, digests and refusals, behind the development server."""
    shutil.copy(migrated_sqlite, folder / "blog.db")
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    with stage(folder, folder / "blog.db") as running:
        yield running


@pytest.fixture(scope="session")
def visits(browser: Browser, gallery: Stage) -> list[Visit]:
    """What every page of the gallery answered, in the order of the gallery."""
    with tab(browser, java_script_enabled=False) as page:
        found = [visit(page, gallery.site, picture) for picture in gallery.pictures]
    assert len({made.name for made in found}) >= 50
    assert {200, 403, 404, 410, 422, 429, 500, 503} <= {made.status for made in found}
    # A page that fails has faultless markup too.
    assert [made.name for made in found if made.status >= 500 and "/refused/" not in made.url] == []
    # A link that is good for one press shows something else after it.
    seen = Counter(made.url for made in found)
    return [replace(made, once=made.once or seen[made.url] > 1) for made in found]


@pytest.fixture(scope="session")
def installation(gallery: Stage, folder: Path) -> Installation:
    """The same publication for servers as an operator would run them."""
    extra = {
        "BLOG_CONTENT_DIR": str(ROOT / "content"),
        "BLOG_VAR_DIR": str(folder),
        "BLOG_SECRET_KEY": SECRET,  # the links of the gallery's people work here too
    }
    return Installation(folder, f"sqlite:///{folder / 'blog.db'}", 1, free_port(), extra)


@pytest.fixture(scope="session")
def served(installation: Installation) -> Iterator[str]:
    """The address of the publication under `blog serve`."""
    with installation.serving():
        yield installation.site


@pytest.fixture(scope="session")
def seeded(browser: Browser) -> Iterator[Seeded]:
    """The page that every gate must refuse."""
    page = (HERE / "seeded.html").read_bytes()
    server = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(_Faulty, page))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    site = f"http://127.0.0.1:{server.server_port}"
    yield Seeded(site, Visit("seeded", f"{site}/", 200, page.decode(), {"content-type": "text/html"}))
    server.shutdown()
    thread.join()
    server.server_close()


class _Faulty(BaseHTTPRequestHandler):
    """Answer with the seeded page, with its heavy twin, and with 404 elsewhere."""

    def __init__(self, page: bytes, *arguments: object) -> None:
        self.page = page
        super().__init__(*arguments)  # type: ignore[arg-type]

    def do_GET(self) -> None:
        kind, body = self.answers().get(self.path, ("text/plain", b""))
        self.send_response(200 if body else 404)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def answers(self) -> dict[str, tuple[str, bytes]]:
        # Before anything is drawn: on a phone its 800 KB take longer than a page may.
        heavy = self.page.replace(b"<body>", SLOW + b"<body>").replace(b"</body>", HEAVY)
        return {
            "/": ("text/html", self.page),
            "/heavy": ("text/html", heavy),
            "/heavy.js": ("text/javascript", b"// nothing but weight" * 40_000 + BUSY),
        }

    def log_message(self, *_: object) -> None:
        pass
