"""Images beside articles, drawings, the icon and the colours."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import time_machine
from flask.testing import FlaskClient

from blog.settings import Settings

SVG = '<svg xmlns="http://www.w3.org/2000/svg"/>'


def test_an_image_beside_an_article_is_served_and_can_do_nothing(
    client: FlaskClient, settings: Settings
) -> None:
    (settings.content_dir / "articles" / "loop.svg").write_text(SVG)
    answer = client.get("/media/articles/loop.svg")
    assert answer.status_code == 200
    assert answer.mimetype == "image/svg+xml"
    assert (
        answer.headers["Content-Security-Policy"] == "default-src 'none'; style-src 'unsafe-inline'; sandbox"
    )
    again = client.get("/media/articles/loop.svg", headers={"If-None-Match": answer.headers["ETag"]})
    assert again.status_code == 304


@pytest.mark.parametrize(
    "path",
    [
        "site.toml",
        "articles/piece.md",
        "../blog.db",
        "..%2fsecret.png",
        "articles/../../secret.png",
        "/etc/passwd",
        "articles/.hidden.png",
        ".git/logo.png",
        "articles",
        "articles/missing.png",
        "articles/way-out.png",
    ],
)
def test_nothing_else_in_or_around_the_folder_can_be_had(
    client: FlaskClient, settings: Settings, tmp_path: Path, path: str
) -> None:
    folder = settings.content_dir / "articles"
    for file in (tmp_path / "secret.png", folder / ".hidden.png", folder / "piece.md"):
        file.write_text("secret")
    (settings.content_dir / ".git").mkdir()
    (settings.content_dir / ".git" / "logo.png").write_text("secret")
    (folder / "way-out.png").symlink_to(tmp_path / "secret.png")
    answer = client.get(f"/media/{path}")
    assert answer.status_code == 404
    assert "secret" not in answer.text


@pytest.mark.parametrize(
    "address",
    [
        "/sketches/backend-2-0.svg",
        "/sketches/topics/systems.svg",
        "/sketches/states/lost.svg",
        "/icon.svg",
        "/favicon.ico",
    ],
)
def test_drawings_are_images_that_may_be_kept_for_an_hour(client: FlaskClient, address: str) -> None:
    answer = client.get(address)
    assert answer.status_code == 200
    assert answer.mimetype == "image/svg+xml"
    assert answer.headers["Cache-Control"] == "public, max-age=3600"
    assert answer.headers["ETag"]


@pytest.mark.parametrize(
    "address", ["/sketches/none.svg", "/sketches/topics/none.svg", "/sketches/states/none.svg"]
)
def test_there_is_no_drawing_of_what_does_not_exist(client: FlaskClient, address: str) -> None:
    assert client.get(address).status_code == 404


def test_the_colours_follow_the_accent(client: FlaskClient, settings: Settings) -> None:
    before = client.get("/theme.css")
    assert before.mimetype == "text/css"
    assert "#2A3BE0" in before.text
    text = (settings.content_dir / "site.toml").read_text().replace("#2A3BE0", "#0A7A3C")
    (settings.content_dir / "site.toml").write_text(text + "\n")
    # The file is looked at a few times a second.
    with time_machine.travel(datetime.now(UTC) + timedelta(seconds=1)):
        assert "#0A7A3C" in client.get("/theme.css").text


def test_a_film_is_sent_in_the_parts_a_browser_asks_for(client: FlaskClient, settings: Settings) -> None:
    path = settings.content_dir / "articles" / "talk.mp4"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(bytes(range(100)))
    whole = client.get("/media/articles/talk.mp4", buffered=True)
    assert (whole.status_code, whole.mimetype, len(whole.data)) == (200, "video/mp4", 100)
    assert whole.headers["Accept-Ranges"] == "bytes"
    part = client.get("/media/articles/talk.mp4", headers={"Range": "bytes=10-19"}, buffered=True)
    assert (part.status_code, part.data) == (206, bytes(range(10, 20)))
    assert part.headers["Content-Range"] == "bytes 10-19/100"
    beyond = client.get("/media/articles/talk.mp4", headers={"Range": "bytes=500-"})
    assert beyond.status_code == 416


def test_captions_are_served_and_other_files_are_not(client: FlaskClient, settings: Settings) -> None:
    folder = settings.content_dir / "articles"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "talk.vtt").write_text("WEBVTT\n")
    (folder / "notes.md").write_text("secret")
    assert client.get("/media/articles/talk.vtt", buffered=True).mimetype == "text/vtt"
    assert client.get("/media/articles/notes.md").status_code == 404
    assert client.get("/pictures/480/articles/talk.vtt.webp").status_code == 404
