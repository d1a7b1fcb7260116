"""The exported site under a real nginx and a real Caddy, as docs/ sets them up, with `blog serve` behind."""

import gzip
import os
import re
import shutil
import subprocess
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from email.message import Message
from pathlib import Path
from urllib.parse import quote

import brotli
import pytest

from blog.settings import ROOT
from tests.journeys.installation import OPENER, Installation, fetch, free_port, link_in
from tests.relay import Relay, relay

pytestmark = pytest.mark.slow

#: What an address of another program may have had in it.
ODD = '/old/{café} "quoted" $x;'
Front = Callable[[Path, Path, int, int], list[str]]
MODULE = Path("/usr/lib/nginx/modules/ngx_http_brotli_static_module.so")
SAME = ("Cache-Control", "Content-Security-Policy", "Permissions-Policy", "Referrer-Policy", "Content-Type")
PATHS = (
    *("/", "/articles/first-piece", "/archive", "/topics", "/topics/ai", "/digests", "/about", "/feed.xml"),
    *("/topics/ai/feed.xml", "/sitemap.xml", "/robots.txt", "/theme.css", "/icon.svg", "/favicon.ico"),
    *("/sketches/first-piece.svg", "/subscribe"),
)


def found(program: str, package: str, *needed: Path) -> str:
    """Return a program of this machine; without one a test is skipped, but never where CI is set."""
    path = shutil.which(program, path=f"{os.environ['PATH']}:/usr/sbin")
    if not path or not all(file.exists() for file in needed):
        message = f"no {program} found: install {package}"
        (pytest.fail if os.environ.get("CI") else pytest.skip)(message)
    return str(path)


def documented(name: str, *changes: tuple[str, str]) -> str:
    """Return a documented configuration, moved to a test's folders and ports."""
    text = (ROOT / "docs" / name).read_text()
    for old, new in changes:
        assert old in text, old
        text = text.replace(old, new)
    return text


def nginx(folder: Path, out: Path, port: int, live_port: int) -> list[str]:
    """Return how to run nginx."""
    program = found("nginx", "nginx-light and libnginx-mod-http-brotli-static", MODULE)
    site = documented(
        "nginx.conf",
        ("/srv/news/site", str(out)),
        ("127.0.0.1:8000", f"127.0.0.1:{live_port}"),
        ("listen 80;", f"listen 127.0.0.1:{port};"),
        ("server_name news.example.org;", "server_name 127.0.0.1;"),
        ("Host $host;", "Host $http_host;"),
    )
    temporary = "\n".join(
        f"{kind}_temp_path {folder}/{kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    user = "user root;" if os.geteuid() == 0 else ""
    config = folder / "nginx.conf"
    config.write_text(
        f"load_module {MODULE};\n{user}\ndaemon off; pid {folder}/pid; error_log {folder}/error.log;\n"
        f"events {{}}\nhttp {{ access_log off; {temporary}\n{site}\n}}\n"
    )
    return [program, "-c", str(config), "-e", f"{folder}/error.log"]


def caddy(folder: Path, out: Path, port: int, live_port: int) -> list[str]:
    """Return how to run Caddy."""
    program = found("caddy", "caddy")
    site = documented(
        "Caddyfile",
        ("/srv/news/site", str(out)),
        ("127.0.0.1:8000", f"127.0.0.1:{live_port}"),
        ("news.example.org {", f"http://127.0.0.1:{port} {{"),
    )
    config = folder / "Caddyfile"
    config.write_text("{\n\tadmin off\n\tauto_https off\n}\n" + site)
    return [program, "run", "--adapter", "caddyfile", "--config", str(config)]


@contextmanager
def running(command: list[str], folder: Path, port: int) -> Iterator[str]:
    """Run a web server until the end of the block."""
    log = folder / "server.log"
    with log.open("w") as said:
        process = subprocess.Popen(command, stdout=said, stderr=said)
    address = f"http://127.0.0.1:{port}"
    try:
        for _ in range(200):
            assert process.poll() is None, log.read_text()
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
               aliases=["/old/place", ODD])  # fmt: skip
    withdrawn = site.write("second-piece", title="Second", date="2026-01-03")
    site.blog("sync")
    withdrawn.unlink()
    site.blog("sync", "--force")
    return site


@pytest.mark.parametrize("front", [nginx, caddy], ids=lambda front: front.__name__)
def test_the_exported_site_is_the_served_one_and_its_forms_work(
    front: Front, published: Installation, tmp_path: Path
) -> None:
    out, live_port = tmp_path / "out", free_port()
    # Readers come to the web server, whose address is the site's; `blog serve` listens behind it.
    site = published
    behind = replace(site, port=live_port, extra={"BLOG_SITE_URL": site.site, "BLOG_TRUSTED_PROXIES": "1"})
    site.blog("export", str(out))
    with relay() as server:
        behind.smtp_port = server.port
        command = front(tmp_path, out, site.port, live_port)
        with behind.serving(), running(command, tmp_path, site.port) as address:
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
            # The next export has the digest's page, and nobody is needed to lead to it.
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
    for old in ("/old/place", ODD):
        status, headers, _ = raw(f"{address}{quote(old)}")
        assert (status, headers["Location"]) == (301, "/articles/first-piece"), old
    assert raw(f"{address}/articles/first-piece/")[0] == 301
    status, headers, body = raw(f"{address}/articles/second-piece")
    assert status == 410
    assert re.search(rb"<h1", body)
    status, headers, body = raw(f"{address}/nothing/here")
    assert status == 404
    assert headers["Cache-Control"] == "no-store"
    assert re.search(rb"<h1", body)
    for hidden in (
        "/.server/http.conf",
        "/.server/manifest.json",
        "/.server/Caddyfile",
        "/_redirects",
        "/404.html",
    ):
        assert raw(address + hidden)[0] == 404, hidden
