"""A flood of sign-ups, and a reader in the midst of it: with a script that does the sum, and without."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
import time_machine
from playwright.sync_api import Browser, Page, expect
from sqlalchemy import func, select

from blog import clock, create_app
from blog.db import Database
from blog.settings import ROOT, load_settings
from blog.subscribers import work
from blog.subscribers.models import SignupCount, Subscriber
from blog.tokens import Tokens
from tests.serving import serving

pytestmark = pytest.mark.browser

SECRET = "a-secret-for-floods-only-0123456789abcdef"


@dataclass(frozen=True)
class Flooded:
    """A site on which unusually many sign up."""

    address: str
    database: Database

    def people(self) -> int:
        with self.database.reading() as session:
            return session.scalar(select(func.count()).select_from(Subscriber)) or 0


@pytest.fixture
def flooded(migrated_sqlite: Path, tmp_path: Path) -> Iterator[Flooded]:
    """A site that asks for work, in a flood."""
    shutil.copy(migrated_sqlite, tmp_path / "blog.db")
    app = create_app(
        load_settings(
            database_url=f"sqlite:///{tmp_path / 'blog.db'}",
            content_dir=ROOT / "content",
            var_dir=tmp_path,
            # On a loopback address there are no limits, so it has another and is visited by this one.
            site_url="https://news.example.org",
            secret_key=SECRET,
            mail_default_sender="News <news@example.org>",
            proof_of_work=12,
        )
    )
    database = app.extensions["blog"].database
    with database.transaction() as session:
        hour = clock.now().replace(minute=0, second=0, microsecond=0)
        for span in (hour, hour + timedelta(hours=1)):
            session.add(SignupCount(key=Tokens((SECRET.encode(),)).count_key("site"), span=span, tries=1000))
    with serving(app) as site:
        yield Flooded(site, database)
    database.dispose()


@contextmanager
def asked(browser: Browser, flooded: Flooded, script: bool) -> Iterator[tuple[Page, list[str]]]:
    """Sign up on the home page of a phone; yield the page that asks for more, and what the console says."""
    context = browser.new_context(java_script_enabled=script, viewport={"width": 360, "height": 800})
    page, said = context.new_page(), list[str]()
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.goto(flooded.address)
    page.get_by_label("E-mail address").fill("ada@example.org")
    page.get_by_role("button", name="Subscribe").click()
    assert page.get_by_role("heading", level=1).inner_text() == "One more click"
    assert flooded.people() == 0
    yield page, said
    assert "Check your inbox" in page.inner_text("h1")
    assert flooded.people() == 1
    context.close()


def test_the_browser_does_the_sum_and_the_reader_presses(browser: Browser, flooded: Flooded) -> None:
    with asked(browser, flooded, script=True) as (page, said):
        expect(page.get_by_role("status")).to_have_text("Done: now you can press it.", timeout=20_000)
        assert flooded.people() == 0, "no script presses a button"
        page.get_by_role("button", name="Yes, subscribe me").click()
        assert said == []


def test_without_script_the_reader_waits_a_minute_and_presses(browser: Browser, flooded: Flooded) -> None:
    with asked(browser, flooded, script=False) as (page, _):
        button = page.get_by_role("button", name="Yes, subscribe me")
        assert "Please wait 60 seconds" in page.get_by_role("status").inner_text()
        button.click()
        assert "Please wait" in page.get_by_role("status").inner_text()
        assert flooded.people() == 0
        with time_machine.travel(clock.now() + work.PATIENCE):
            button.click()
