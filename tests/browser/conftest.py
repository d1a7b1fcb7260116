"""The sample publication behind a real server, and a real browser before it."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

from blog.settings import ROOT
from tests.serving import published, serving

FONTS = Path(__file__).with_name("fonts.conf")
BROWSERS = ("chromium", "chromium-browser", "google-chrome")


def _browser_path() -> str | None:
    return next((path for name in BROWSERS if (path := shutil.which(name))), None)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """A headless Chromium; without one these tests are skipped, but never where CI is set."""
    path = _browser_path()
    if path is None:
        message = "no Chromium found: install the package `chromium` to run the browser tests"
        (pytest.fail if os.environ.get("CI") else pytest.skip)(message)
    with sync_playwright() as playwright:
        environment = {**os.environ, "FONTCONFIG_FILE": str(FONTS)}
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"], env=environment)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def site(migrated_sqlite: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of the sample publication, served on this machine."""
    folder = tmp_path_factory.mktemp("site")
    shutil.copy(migrated_sqlite, folder / "blog.db")
    with published(folder, folder / "blog.db", ROOT / "content") as app, serving(app) as address:
        yield address
