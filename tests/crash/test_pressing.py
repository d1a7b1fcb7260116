"""kill -9 of the web server around sign-up, confirmation, preferences and leaving: what was answered is kept.

`make prove` runs it; a thousand kills:

    PROVE_KILLS=1000 make prove ARGS=tests/crash/test_pressing.py
"""

import os
from pathlib import Path

import pytest

from blog.db import Database
from blog.tokens import Tokens
from tests.crash import pressing
from tests.crash.pressing import Audit
from tests.journeys.installation import SECRET, Installation, free_port

pytestmark = pytest.mark.crash

KILLS = int(os.environ.get("PROVE_KILLS", "50"))
SEEDED_KILLS = 3


def run(database: Database, database_url: str, folder: Path, kills: int, bug: tuple[str, ...] = ()) -> Audit:
    site = Installation(folder, database_url, smtp_port=1, port=free_port())
    site.content.mkdir()
    # On a loopback address the shield lets everybody through: here it does its work.
    site.extra |= {"BLOG_SITE_URL": "https://news.example.org", "BLOG_TRUSTED_PROXIES": "1"}
    tokens = Tokens((SECRET.encode(),))
    return pressing.run(database, tokens, site.environment, site.port, kills, seed=2026, bug=bug)


def tell(name: str, audit: Audit) -> None:
    print(
        f"\n{name}: {audit.kills} kills, {audit.answered} presses answered, {audit.in_doubt} in doubt, "
        f"lost {len(audit.lost)}, done by halves {len(audit.halved)}"
    )


def test_no_press_that_was_answered_is_lost_and_none_is_done_by_halves(
    database: Database, database_url: str, tmp_path: Path, engine: str
) -> None:
    audit = run(database, database_url, tmp_path, KILLS)
    tell(engine, audit)
    assert audit.lost == audit.halved == []
    assert audit.answered >= KILLS
    assert audit.in_doubt > 0, "the kills have to come in the midst of things"


def test_the_same_run_catches_answers_before_the_commit(
    database: Database, database_url: str, tmp_path: Path, engine: str
) -> None:
    audit = run(database, database_url, tmp_path, SEEDED_KILLS, ("hasty",))
    tell(f"{engine}, seeded bug hasty", audit)
    assert audit.lost
