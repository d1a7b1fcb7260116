"""The exported site under a real nginx, as docs/nginx.conf sets it up, with `blog serve` behind the forms."""

import gzip
import os
import re
import shutil
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from email.message import Message
from pathlib import Path

import brotli
import pytest

from blog.settings import ROOT
from tests.journeys.installation import OPENER, Installation, fetch, free_port, link_in
from tests.relay import Relay, relay

MODULE = Path("/usr/lib/nginx/modules/ngx_http_brotli_static_module.so")
SAME = ("Cache-Control", "Content-Security-Policy", "Permissions-Policy", "Referrer-Policy", "Content-Type")
PATHS = (
    *("/", "/articles/first-piece", "/archive", "/topics", "/topics/ai", "/digests", "/about", "/feed.xml"),
    *("/topics/ai/feed.xml", "/sitemap.xml", "/robots.txt", "/theme.css", "/icon.svg", "/favicon.ico"),
    *("/sketches/first-piece.svg", "/subscribe"),
)


@pytest.fixture(scope="module")
def nginx() -> str:
    """The nginx of this machine; without one these tests are skipped, but never where CI is set."""
    found = shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin")
    if not found or not MODULE.exists():
        message = "no nginx with Brotli found: install nginx-light and libnginx-mod-http-brotli-static"
        (pytest.fail if os.environ.get("CI") else pytest.skip)(message)
    return str(found)


@contextmanager
def running(nginx: str, folder: Path, out: Path, port: int, live_port: int) -> Iterator[str]:
    """Run nginx with the documented configuration, moved to this test's folders and ports."""
    site = (ROOT / "docs" / "nginx.conf").read_text()
    for old, new in (
        ("/srv/news/site", str(out)),
        ("127.0.0.1:8000", f"127.0.0.1:{live_port}"),
        ("listen 80;", f"listen 127.0.0.1:{port};"),
        ("server_name news.example.org;", "server_name 127.0.0.1;"),
        ("Host $host;", "Host $http_host;"),
    ):
        assert old in site, old
        site = site.replace(old, new)
    temporary = "\n".join(
        f"{kind}_temp_path {folder}/{kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    user = "user root;" if os.geteuid() == 0 else ""
    config = folder / "nginx.conf"
    config.write_text(
        f"load_module {MODULE};\n{user}\ndaemon off; pid {folder}/pid; error_log {folder}/error.log;\n"
        f"events {{}}\nhttp {{ access_log off; {temporary}\n{site}\n}}\n"
    )
    process = subprocess.Popen([nginx, "-c", str(config), "-e", f"{folder}/error.log"])
    address = f"http://127.0.0.1:{port}"
    try:
        for _ in range(100):
            assert process.poll() is None, (folder / "error.log").read_text()
            try:
                fetch(f"{address}/robots.txt")
                break
            except OSError:
                time.sleep(0.05)
        yield address
    finally:
        process.terminate()
        process.wait(10)


def raw(address: str, coding: str = "", **headers: str) -> tuple[int, Message, bytes]:
    request = urllib.request.Request(address, headers={"Accept-Encoding": coding, **headers})
    try:
        with OPENER.open(request, timeout=20) as answer:
            return answer.status, answer.headers, answer.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.headers, error.read()


@pytest.fixture
def published(migrated_sqlite: Path, tmp_path: Path) -> Installation:
    shutil.copy(migrated_sqlite, tmp_path / "blog.db")
    site = Installation(tmp_path, f"sqlite:///{tmp_path / 'blog.db'}", smtp_port=1, port=free_port())
    (site.content / "articles").mkdir(parents=True)
    (site.content / "pages").mkdir()
    (site.content / "site.toml").write_text(
        'name = "Signal & System"\n[[topics]]\nslug = "ai"\nname = "AI"\n'
    )
    (site.content / "pages" / "about.md").write_text("---\ntitle: About\n---\n\nUs.\n")
    site.write("first-piece", "Some *words*.\n\n" * 60, title="First", date="2026-01-02", tags=["ai"],
               aliases=["/old/place"])  # fmt: skip
    withdrawn = site.write("second-piece", title="Second", date="2026-01-03")
    site.blog("sync")
    withdrawn.unlink()
    site.blog("sync", "--force")
    return site


def test_the_exported_site_is_the_served_one_and_its_forms_work(
    nginx: str, published: Installation, tmp_path: Path
) -> None:
    out, live_port = tmp_path / "out", free_port()
    # Readers come to nginx, whose address is the site's; `blog serve` listens behind it.
    site = published
    behind = replace(site, port=live_port, extra={"BLOG_SITE_URL": site.site, "BLOG_TRUSTED_PROXIES": "1"})
    site.blog("export", str(out))
    with relay() as server:
        behind.smtp_port = server.port
        with behind.serving(), running(nginx, tmp_path, out, site.port, live_port) as address:
            check_pages(address, f"http://127.0.0.1:{live_port}")
            check_addresses(address)
            answer = fetch(f"{address}/subscribe", b"email=ada%40example.org")
            assert answer.status == 200
            behind.blog("worker", "--until-idle")
            link = link_in(server.to("ada@example.org")[-1], "/confirm/")
            assert link.startswith(address)
            assert fetch(link, b"").status == 200
            assert behind.blog_json("subscribers", "show", "ada@example.org")["status"] == "active"
            check_mail(address, behind, server)
            # The next export has the digest's page, and nginx needs nobody to lead to it.
            site.blog("export", str(out))
            assert "/digests/weekly/1 /digests/1 301" in (out / "_redirects").read_text()
            assert (out / "digests" / "1.html").exists()
            assert raw(f"{address}/digests/1")[0] == 200


def check_mail(address: str, behind: Installation, server: Relay) -> None:
    """Follow every link of a digest, before an export has its page."""
    behind.write("third-piece", "New *words*.\n\n" * 9, title="Third", date="2026-01-04", tags=["ai"])
    behind.blog("sync")
    behind.blog_json("digest", "run", "--cadence", "weekly")
    behind.blog("worker", "--until-idle")
    mail = server.to("ada@example.org")[-1]
    status, headers, _ = raw(link_in(mail, "/digests/weekly/"))
    assert (status, headers["Location"]) == (301, "/digests/1")
    assert "Third" in fetch(f"{address}/digests/1").body
    for path in ("/preferences/", "/unsubscribe/"):
        status, headers, _ = raw(link_in(mail, path))
        assert status == 200, path
        for name in SAME:
            assert len(headers.get_all(name, [])) == 1, (path, name)
    assert raw(f"{address}/search?q=words")[0] == 200
    # RFC 8058, as a mail program posts it.
    answer = fetch(link_in(mail, "/unsubscribe/"), b"List-Unsubscribe=One-Click")
    assert answer.status == 200
    assert behind.blog_json("subscribers", "show", "ada@example.org")["status"] == "unsubscribed"


def check_pages(address: str, live: str) -> None:
    for path in PATHS:
        status, headers, body = raw(address + path)
        _, served_headers, served = raw(live + path)
        if path != "/subscribe":
            served = served.replace(b' action="/', f' action="{address}/'.encode())
        assert status == 200, path
        assert body == served, path
        for name in SAME:
            assert headers.get(name) == served_headers.get(name), (
                path,
                name,
            )
        for asked, decoded in (("gzip", gzip.decompress), ("gzip, br", brotli.decompress)):
            _, headers, body = raw(address + path, asked)
            if "Content-Encoding" in headers:
                assert headers["Content-Encoding"] == asked.split()[-1]
                assert "Accept-Encoding" in headers["Vary"]
                body = decoded(body)
            assert body == served, (path, asked)
    assert raw(f"{address}/articles/first-piece", "gzip, br")[1]["Content-Encoding"] == "br"
    assert raw(f"{address}/articles/first-piece", "gzip")[1]["Content-Encoding"] == "gzip"


def check_addresses(address: str) -> None:
    status, headers, _ = raw(f"{address}/articles/first-piece")
    assert status == 200
    assert raw(f"{address}/articles/first-piece", **{"If-None-Match": headers["ETag"]})[0] == 304
    status, headers, _ = raw(f"{address}/old/place")
    assert (status, headers["Location"]) == (301, "/articles/first-piece")
    assert raw(f"{address}/articles/first-piece/")[0] == 301
    status, headers, body = raw(f"{address}/articles/second-piece")
    assert status == 410
    assert re.search(rb"<h1", body)
    status, headers, body = raw(f"{address}/nothing/here")
    assert status == 404
    assert headers["Cache-Control"] == "no-store"
    assert re.search(rb"<h1", body)
    for hidden in ("/.server/http.conf", "/.server/manifest.json", "/_redirects", "/404.html"):
        assert raw(address + hidden)[0] == 404, hidden
