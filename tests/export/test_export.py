"""The site as files: the same pages, prepared, replaced in one step."""

import gzip
import subprocess
import sys
from pathlib import Path
from urllib.parse import quote

import brotli
import pytest

from blog import create_app
from blog.db import Database
from blog.errors import UsageError
from blog.export import tree
from blog.export.links import found_in
from blog.settings import Settings
from tests.export.conftest import SITE, blog, export, files_of, sync, write

ORIGIN = "https://news.example.org"


def test_every_page_is_there_as_it_is_served_and_prepared(
    content: Path, database: Database, settings: Settings, tmp_path: Path
) -> None:
    sync(database, content)
    out = tmp_path / "out"
    report = export(out)
    app = create_app(settings)
    client = app.test_client()
    client.environ_base["HTTP_HOST"] = "news.example.org"
    for path, file in {
        "/": "index.html", "/articles/first-piece": "articles/first-piece.html", "/about": "about.html",
        "/topics/systems": "topics/systems.html", "/topics/systems/feed.xml": "topics/systems/feed.xml",
        "/feed.xml": "feed.xml", "/sitemap.xml": "sitemap.xml", "/robots.txt": "robots.txt",
        "/media/articles/loop.svg": "media/articles/loop.svg", "/theme.css": "theme.css",
        "/sketches/first-piece.svg": "sketches/first-piece.svg", "/archive": "archive.html",
    }.items():  # fmt: skip
        served = client.get(path).data.replace(b' action="/', f' action="{ORIGIN}/'.encode())
        assert (out / file).read_bytes() == served, path
        for ending, decoded in ((".br", brotli.decompress), (".gz", gzip.decompress)):
            if (out / f"{file}{ending}").exists():
                assert decoded((out / f"{file}{ending}").read_bytes()) == served
    assert (out / "articles/first-piece.html.br").exists()
    assert (out / "cards/first-piece.png").exists()
    assert (out / "404.html").exists()
    assert list(out.glob("static/*/fonts/*.woff2"))
    assert report["missing"] == []
    assert report["redirects"] == 1
    assert (out / "_redirects").read_text() == "/old/first /articles/first-piece 301\n"
    assert not list(out.rglob("healthz*"))
    app.extensions["blog"].database.dispose()


def test_every_file_holds_what_the_site_answers_at_its_address(
    content: Path, database: Database, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # What is read ahead has to be what a view reads for itself, be it of a series or of no topic.
    site = 'description = "Words"\n[[series]]\nslug = "loops"\nname = "Loops"\n'
    (content / "site.toml").write_text(f"{SITE}{site}")
    for number in range(5):
        write(
            content, f"part-{number}", f"Loops and queues, {number}.\n\n", "series: Loops\nauthors: [Ada]\n"
        )
    (content / "articles" / "bare.md").write_text("---\ntitle: Bare\ndate: 2026-01-03\n---\n\nBare words.\n")
    sync(database, content)
    monkeypatch.setattr("blog.export.crawl.PARCEL", 7)
    export(tmp_path / "out", "--live-url", ORIGIN)
    app = create_app(settings)
    client = app.test_client()
    client.environ_base["HTTP_HOST"] = "news.example.org"
    files = tree.manifest(tmp_path / "out")["files"]
    for page in (page for page in files if page["status"] == 200):
        answer = client.get(quote(page["path"]), query_string=page["query"])
        served = answer.data.replace(b' action="/', f' action="{ORIGIN}/'.encode())
        assert (tmp_path / "out" / page["file"]).read_bytes() == served, page["path"]
        told = dict(page["headers"])
        assert told == {name: answer.headers[name] for name in told}, page["path"]
    assert {"/articles/part-3", "/sketches/bare.svg", "/series/loops", "/authors/ada"} <= {
        p["path"] for p in files
    }
    app.extensions["blog"].database.dispose()


def test_forms_go_to_the_live_site_and_the_policy_allows_it(
    content: Path, database: Database, tmp_path: Path
) -> None:
    sync(database, content)
    export(tmp_path / "out", "--live-url", "https://live.example.org", "--without-cards")
    page = (tmp_path / "out" / "index.html").read_text()
    assert 'action="https://live.example.org/subscribe"' in page
    rules = (tmp_path / "out" / ".server" / "http.conf").read_text()
    assert "form-action 'self' https://live.example.org;" in rules
    assert not (tmp_path / "out" / "cards").exists()


def test_what_has_not_changed_keeps_its_time_and_what_is_gone_goes(
    content: Path, database: Database, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    sync(database, content)
    export(out)
    about = (out / "about.html").stat()
    write(content, "third-piece", "New words.\n")
    (content / "articles" / "second-piece.md").unlink()
    sync(database, content)
    report = export(out)
    assert (out / "about.html").stat().st_mtime_ns == about.st_mtime_ns
    assert (out / "articles/third-piece.html").exists()
    assert not (out / "articles/second-piece.html").exists()
    assert (out / "410.html").exists()
    assert report["gone"] == 1
    assert isinstance(report["unchanged"], int)
    assert report["unchanged"] > 10
    assert sorted(path.name for path in tmp_path.glob(".*out*")) == []


@pytest.mark.usefixtures("content", "database")
def test_where_nothing_can_be_written_is_said_with_what_to_do() -> None:
    with pytest.raises(UsageError, match=r"/proc/site cannot be written .*; name a folder in one that"):
        blog("export", "/proc/site")


@pytest.mark.parametrize("name", ["a-file-of-mine", "a-file.html"])
def test_files_of_somebody_else_are_never_replaced(
    content: Path, database: Database, tmp_path: Path, name: str
) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / name).write_text("mine")
    with pytest.raises(UsageError, match="no export has written"):
        blog("export", str(tmp_path / "mine"))
    assert (tmp_path / "mine" / name).read_text() == "mine"
    with pytest.raises(UsageError, match="--live-url"):
        blog("export", str(tmp_path / "out"), "--live-url", "live.example.org")


def test_many_pages_are_exported_on_all_cores_and_are_the_same(
    content: Path, database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sync(database, content)
    export(tmp_path / "one", "--workers", "1")
    monkeypatch.setattr("blog.export.crawl.FEW", 5)
    export(tmp_path / "two", "--workers", "2")
    # A process with one thread is copied; without what the others begin with, nothing else can succeed.
    copied = (
        "from blog.cli import main; from blog.export import crawl; crawl.FEWER = 5; del crawl._begin; main()"
    )
    command = [sys.executable, "-c", copied, "export", str(tmp_path / "three"), "--workers", "2"]
    subprocess.run(command, check=True, capture_output=True)
    one, two, three = (files_of(tmp_path / name) for name in ("one", "two", "three"))
    assert one == two == three


@pytest.mark.parametrize(
    ("path", "kind", "name"),
    [
        ("/", "text/html; charset=utf-8", "index.html"),
        ("/articles/x", "text/html", "articles/x.html"),
        ("/feed.xml", "application/atom+xml", "feed.xml"),
        ("/../x", "text/html", None),
        ("/a/../../x", "text/css", None),
        ("/.server/http.conf", "text/plain", None),
        ("//x", "text/plain", "x"),
        ("/a//b", "text/plain", None),
    ],
)
def test_no_page_can_be_written_outside_or_over_what_the_server_is_told(
    path: str, kind: str, name: str | None
) -> None:
    assert tree.name_of(path, kind) == name


def test_links_are_found_wherever_a_browser_or_a_feed_reader_would_follow_them() -> None:
    html = (
        '<a href="/a?x=1&amp;y=2#z">a</a><img src="b.png" srcset="/c-1.avif 480w, /c-2.avif 960w">'
        f'<meta content="{ORIGIN}/cards/d.png?v=1"><a href="https://elsewhere.example/e">e</a>'
        '<a href="mailto:f@example.org">f</a><a href="//elsewhere.example/g">g</a>'
        '<meta name="viewport" content="width=device-width">'
    )
    found = found_in(html.encode(), "text/html; charset=utf-8", "/articles/x", ORIGIN)
    assert found == {
        "/a": "x=1&y=2",
        "/c-1.avif": "",
        "/c-2.avif": "",
        "/articles/b.png": "",
        "/cards/d.png": "v=1",
    }
    css = b"@font-face{src:url(fonts/a.woff2)}b{background:url('/c.svg')}"
    assert set(found_in(css, "text/css", "/static/1/site.css", ORIGIN)) == {
        "/static/1/fonts/a.woff2",
        "/c.svg",
    }
    assert found_in(b"href='/x'", "image/png", "/", ORIGIN) == {}
