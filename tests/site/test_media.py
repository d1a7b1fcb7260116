"""Images beside articles, drawings, the icon and the colours."""

from pathlib import Path

import pytest
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
    assert "#0A7A3C" in client.get("/theme.css").text
