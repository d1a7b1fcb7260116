"""Three web hosts, each with a disk of its own, over one PostgreSQL: a reader cannot tell them apart.

The first two have copies of the content, as `git pull` leaves them; the third reads the first one's folder.
"""

import os
import re
import shutil
import time
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from html import unescape
from itertools import cycle, islice
from pathlib import Path
from urllib.parse import urljoin, urlsplit

import pytest
from PIL import Image
from sqlalchemy import func, select

from blog.db import Database
from blog.delivery.models import OutboxMail
from blog.subscribers.models import Mail
from blog.subscribers.shield import NETWORK_AN_HOUR
from tests.journeys.installation import OPENER, Installation, fetch, free_port, link_in
from tests.postgresql import Kept
from tests.relay import relay

pytestmark = pytest.mark.slow

SITE = "https://news.example.org"
SECOND = 1.3  # with what a busy machine may add
#: What carries a token of its own in every copy, and what leads away.
NOT_KEPT = re.compile(r"^/(subscribe|search)")


@dataclass(frozen=True)
class Seen:
    """What tells one answer from another."""

    status: int
    body: bytes
    headers: tuple[str | None, ...]


@pytest.fixture(scope="module")
def hosts(kept_postgresql: Kept, tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Installation]]:
    folder = tmp_path_factory.mktemp("hosts")
    first = host(folder / "first", kept_postgresql.url)
    publish(first)
    second, third = host(folder / "second", first.database_url), host(folder / "third", first.database_url)
    copy(first, second)
    third.extra["BLOG_CONTENT_DIR"] = str(first.content)
    first.blog("sync")
    with ExitStack() as stack:
        for each in (first, second, third):
            stack.enter_context(each.serving())
        yield [first, second, third]
    kept_postgresql.empty()


def host(folder: Path, database_url: str) -> Installation:
    folder.mkdir()
    made = Installation(folder, database_url, smtp_port=1, port=free_port())
    made.extra = {"BLOG_SITE_URL": SITE, "BLOG_TRUSTED_PROXIES": "1", "BLOG_SHARED_CACHE_SECONDS": "0"}
    return made


def publish(first: Installation) -> None:
    yesterday = (datetime.now(UTC) - timedelta(days=1)).isoformat()
    words = "Some *words* about lighthouses.\n\n![A slope](photo.jpg)\n\n[The film](film.webm)"
    for number in range(3):
        first.write(f"piece-{number}", words, title=f"Piece {number}", date=yesterday, tags=["ai"])
    (first.content / "site.toml").write_text(
        'name = "Signal & System"\naccent = "#7a3b2e"\n[[topics]]\nslug = "ai"\n'
    )
    Image.effect_noise((1000, 600), 50).convert("RGB").save(first.content / "articles" / "photo.jpg")
    (first.content / "articles" / "film.webm").write_bytes(os.urandom(5_000))


def copy(one: Installation, other: Installation) -> None:
    """Bring the files along as a version control does: with a time of their own."""
    shutil.copytree(one.content, other.content, copy_function=shutil.copyfile, dirs_exist_ok=True)
    for path in other.content.rglob("*"):
        os.utime(path, (1_700_000_000, 1_700_000_000))


def ask(host: Installation, path: str) -> Seen:
    request = urllib.request.Request(host.site + path, headers={"X-Forwarded-For": "198.51.100.99"})
    names = ("ETag", "Cache-Control", "Content-Type", "Location", "Content-Security-Policy")
    try:
        with OPENER.open(request, timeout=20) as answer:
            return Seen(answer.status, answer.read(), tuple(answer.headers.get(name) for name in names))
    except urllib.error.HTTPError as error:
        with error:
            return Seen(error.code, b"", tuple(error.headers.get(name) for name in names))


def addresses_in(page: Seen, path: str) -> set[str]:
    """Return the paths on this site that a page links to, loads, or offers to load."""
    text = page.body.decode() if (page.headers[2] or "").startswith("text/") else ""
    found = re.findall(r'(?:href|src|content)="([^"]+)"', text)
    for offers in re.findall(r'srcset="([^"]+)"', text):
        found += [offer.split()[0] for offer in offers.split(",") if offer.strip()]
    links = [urlsplit(urljoin(SITE + path, unescape(link))) for link in found if "/" in link]
    return {link.path + (f"?{link.query}" if link.query else "") for link in links if link.netloc in SITE} - {
        ""
    }


def test_whichever_host_answers_every_address_gives_the_same_bytes(
    hosts: list[Installation],
) -> None:
    waiting, known = {"/", "/robots.txt", "/sitemap.xml", "/feed.json", "/llms.txt", "/nothing-here"}, set()
    while waiting:
        path = waiting.pop()
        known.add(path)
        answers = [ask(host, path) for host in hosts]
        assert answers[0] == answers[1] == answers[2], path
        waiting |= {link for link in addresses_in(answers[0], path) if not NOT_KEPT.match(link)} - known
    for kind in (
        "/articles/",
        "/topics/",
        "/pictures/",
        "/cards/",
        "/media/",
        "/static/",
        "/sketches/",
        "/feed",
    ):
        assert any(path.startswith(kind) for path in known), f"{kind} of {sorted(known)}"
    assert all((host.folder / "var" / "cache" / "images").is_dir() for host in hosts), (
        "each makes its own copies"
    )


def test_a_sync_on_any_host_is_seen_on_all_within_a_second(hosts: list[Installation]) -> None:
    for number, writer in enumerate(hosts[:2]):
        title = f"Written on host {number}"
        for each in hosts[:2]:
            each.write("piece-0", title=title, date="2026-01-02", tags=["ai"])
        assert writer.blog_json("sync")["changed"] == ["piece-0"]
        time.sleep(SECOND)
        assert all(title in host.get("/articles/piece-0").body for host in hosts)
        others = [host for host in hosts if host is not writer]
        assert others[0].blog_json("sync")["changed"] == [], "the same files are the same site"


def test_a_shared_draft_is_seen_on_every_host_until_it_is_published(hosts: list[Installation]) -> None:
    first, second, _ = hosts
    for each in (first, second):
        each.write("draft", title="Not yet", draft=True)
    first.blog("sync")
    link = second.blog_json("articles", "share", "draft")["link"]
    assert link.startswith(f"{SITE}/drafts/")
    path = link.removeprefix(SITE)
    assert ["Not yet" in host.get(path).body for host in hosts] == [True] * 3
    for each in (first, second):
        each.write("draft", title="Not yet", date="2026-01-02")
    second.blog("sync")
    assert [ask(host, path).headers[3] for host in hosts] == ["/articles/draft"] * 3


def test_hosts_count_together_what_a_network_and_an_address_may_ask(hosts: list[Installation]) -> None:
    def sign_up(host: Installation, address: str, network: str) -> int:
        headers = {"X-Forwarded-For": network, "Content-Type": "application/x-www-form-urlencoded"}
        return fetch(f"{host.site}/subscribe", f"email={address}".encode(), headers).status

    asked = [
        sign_up(host, f"reader{number}@example.org", "203.0.113.7")
        for number, host in enumerate(islice(cycle(hosts), NETWORK_AN_HOUR + 3))
    ]
    assert asked == [200] * NETWORK_AN_HOUR + [429] * 3
    assert [sign_up(host, "ada@example.org", f"192.0.2.{n}") for n, host in enumerate(hosts * 2)] == [200] * 6
    assert mails_to_confirm(hosts[0].database_url) == NETWORK_AN_HOUR + 1, "one for an address"


def mails_to_confirm(database_url: str) -> int | None:
    database = Database(database_url)
    with database.reading() as session:
        found = session.scalar(select(func.count()).where(OutboxMail.kind == Mail.CONFIRM))
    database.dispose()
    return found


def test_the_links_of_a_mail_work_on_every_host_whichever_sent_it(hosts: list[Installation]) -> None:
    first, second, third = hosts
    headers = {"X-Forwarded-For": "192.0.2.200", "Content-Type": "application/x-www-form-urlencoded"}
    assert fetch(f"{first.site}/subscribe", b"email=eve@example.org", headers).status == 200
    with relay() as server:
        second.smtp_port = server.port
        second.blog("worker", "--until-idle")
        path = link_in(server.to("eve@example.org")[0], "/confirm/").removeprefix(SITE)
    assert [host.get(path).status for host in hosts] == [200] * 3
    assert third.post(path).status == 200
    assert first.blog_json("subscribers", "show", "eve@example.org")["status"] == "active"
    assert "already" in first.post(path).body
