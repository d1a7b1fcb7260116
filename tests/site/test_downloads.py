"""Downloads, sound and films beside articles: those kinds, in those places, and nothing else."""

from pathlib import Path

import pytest
from flask.testing import FlaskClient

from blog.content.offers import KINDS
from blog.settings import Settings
from tests.content.folders import write

DATA = bytes(range(100))


@pytest.fixture
def content(settings: Settings) -> Path:
    return settings.content_dir


@pytest.mark.parametrize("ending", sorted(KINDS))
def test_every_kind_is_named_and_never_guessed(client: FlaskClient, content: Path, ending: str) -> None:
    write(content, f"articles/post/file{ending.upper()}", DATA)
    answer = client.get(f"/media/articles/post/file{ending.upper()}", buffered=True)
    assert (answer.status_code, answer.data) == (200, DATA)
    assert answer.headers["Content-Type"] == KINDS[ending]
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Cache-Control"] == "public, max-age=0, must-revalidate"
    policy = answer.headers["Content-Security-Policy"]
    assert ("sandbox" in policy) is (ending != ".pdf")
    assert "script-src 'none'" in policy or "default-src 'none'" in policy
    saved = answer.headers.get("Content-Disposition", "").startswith("attachment")
    assert saved is (ending in {".zip", ".epub"})


@pytest.mark.parametrize("name", ["talk.mp4", "talk.mp3", "talk.webm", "paper.pdf"])
def test_a_player_gets_the_part_it_asks_for(client: FlaskClient, content: Path, name: str) -> None:
    write(content, f"articles/{name}", DATA)
    address = f"/media/articles/{name}"
    whole = client.get(address, buffered=True)
    assert whole.headers["Accept-Ranges"] == "bytes"
    part = client.get(address, headers={"Range": "bytes=10-19"}, buffered=True)
    assert (part.status_code, part.data) == (206, DATA[10:20])
    assert part.headers["Content-Range"] == "bytes 10-19/100"
    tail = client.get(address, headers={"Range": "bytes=-5"}, buffered=True)
    assert tail.data == DATA[-5:]
    stale = {"Range": "bytes=10-19", "If-Range": '"another"'}
    assert client.get(address, headers=stale, buffered=True).status_code == 200
    fresh = {"Range": "bytes=10-19", "If-Range": whole.headers["ETag"]}
    assert client.get(address, headers=fresh, buffered=True).status_code == 206
    assert client.get(address, headers={"Range": "bytes=500-"}, buffered=True).status_code == 416
    known = client.get(address, headers={"If-None-Match": whole.headers["ETag"]}, buffered=True)
    assert (known.status_code, known.data) == (304, b"")


def test_a_file_has_the_same_name_tag_on_every_host_and_another_when_it_changes(
    client: FlaskClient, content: Path
) -> None:
    path = write(content, "articles/a.pdf", b"one")
    write(content, "articles/b.pdf", b"one")
    tags = {client.get(f"/media/articles/{name}.pdf", buffered=True).headers["ETag"] for name in "ab"}
    assert len(tags) == 1
    path.write_bytes(b"another")
    assert client.get("/media/articles/a.pdf", buffered=True).headers["ETag"] not in tags


@pytest.mark.parametrize(
    "name",
    [
        "people.csv",
        "notes/people.csv",
        "articles/.secret.txt",
        "articles/.git/log.txt",
        "articles/post/index.md",
        "articles/page.html",
        "articles/code.js",
        "articles/out.txt",
        "articles/outside/x.txt",
        "articles/header.txt",
        "articles/visible.txt",
        "articles/loop.txt",
        "articles/folder.txt",
        "articles/../people.csv",
        "articles/%2e%2e/people.csv",
        "articles/missing.pdf",
    ],
)
def test_nothing_else_can_be_had(client: FlaskClient, content: Path, tmp_path: Path, name: str) -> None:
    for file in ("people.csv", "notes/people.csv", "articles/.secret.txt", "articles/.git/log.txt"):
        write(content, file, "secret")
    for file in ("articles/post/index.md", "articles/page.html", "articles/code.js", "articles/folder.txt/x"):
        write(content, file, "secret")
    write(tmp_path, "elsewhere/x.txt", "secret")
    (content / "articles/out.txt").symlink_to(tmp_path / "elsewhere/x.txt")
    (content / "articles/outside").symlink_to(tmp_path / "elsewhere")
    (content / "articles/header.txt").symlink_to(content / "articles/post/index.md")
    (content / "articles/visible.txt").symlink_to(content / "articles/.secret.txt")
    (content / "articles/loop.txt").symlink_to(content / "articles/loop.txt")
    answer = client.get(f"/media/{name}")
    assert answer.status_code == 404
    assert "secret" not in answer.text


def test_a_bundle_may_lie_anywhere(client: FlaskClient, content: Path) -> None:
    write(content, "blog/post/index.md", "# Post")
    write(content, "blog/post/data/figures.csv", "a,b\n")
    write(content, "static/paper.pdf", DATA)
    assert client.get("/media/blog/post/data/figures.csv", buffered=True).status_code == 200
    assert client.get("/media/static/paper.pdf", buffered=True).status_code == 200
