"""Copies of images at their addresses: those that pages list, and no other."""

import io
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from PIL import Image

from blog.content.markup import Text, render
from blog.content.offers import fingerprint
from blog.content.references import Shelf
from blog.content.variants import version
from blog.settings import Settings
from tests.site.pages import read


@pytest.fixture
def photo(settings: Settings) -> Path:
    path = settings.content_dir / "articles" / "photo.jpg"
    Image.linear_gradient("L").resize((700, 350)).convert("RGB").save(path)
    return path


@pytest.mark.parametrize(("ending", "kind"), [("avif", "AVIF"), ("webp", "WEBP"), ("jpg", "JPEG")])
def test_a_copy_is_made_once_and_then_served_from_where_it_is_kept(
    client: FlaskClient, settings: Settings, photo: Path, ending: str, kind: str
) -> None:
    address = f"/pictures/480/articles/photo.jpg.{ending}"
    answer = client.get(address)
    assert answer.status_code == 200
    assert answer.mimetype == f"image/{kind.lower()}"
    assert answer.headers["Cache-Control"] == "public, max-age=86400"  # nothing says which photo it is of
    assert answer.headers["Cross-Origin-Resource-Policy"] == "cross-origin"
    with Image.open(io.BytesIO(answer.data)) as copy:
        assert (copy.format, copy.size) == (kind, (480, 240))
    assert client.get(address, headers={"If-None-Match": answer.headers["ETag"]}).status_code == 304
    [file] = (settings.var_dir / "cache" / "images").iterdir()
    assert file.read_bytes() == answer.data
    file.write_bytes(b"kept")
    assert client.get(address).data == b"kept"


def test_every_copy_that_a_page_lists_is_served(client: FlaskClient, settings: Settings, photo: Path) -> None:
    text = Text("articles/a.md", "![A slope](photo.jpg)", 1, "T")
    page = read(render(text, Shelf(settings.content_dir)).html)
    listed = [image["srcset"] for image in (*page.all("source"), *page.all("img"))]
    candidates = [candidate.split() for choice in listed for candidate in choice.split(", ")]
    assert len(candidates) == 6
    for address, width in candidates:
        answer = client.get(address)
        assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
        with Image.open(io.BytesIO(answer.data)) as copy:
            assert f"{copy.width}w" == width


def test_an_address_of_replaced_bytes_leads_to_the_new_ones_but_is_not_kept(
    client: FlaskClient, photo: Path
) -> None:
    old = f"/pictures/480-{version(fingerprint(photo))}/articles/photo.jpg.jpg"
    before = client.get(old)
    Image.new("RGB", (700, 100)).save(photo)
    after = client.get(old)
    assert "immutable" in before.headers["Cache-Control"]
    assert after.headers["Cache-Control"] == "public, max-age=86400"
    assert before.data != after.data
    assert client.get("/pictures/480-x/articles/photo.jpg.gif").status_code == 404


def test_a_replaced_image_has_new_copies(client: FlaskClient, photo: Path) -> None:
    address = "/pictures/480/articles/photo.jpg.jpg"
    before = client.get(address).data
    Image.new("RGB", (700, 100)).save(photo)
    assert client.get(address).data != before


@pytest.mark.parametrize(
    "address",
    [
        "481/articles/photo.jpg.avif",
        "800/articles/photo.jpg.avif",
        "0/articles/photo.jpg.avif",
        "99999999999/articles/photo.jpg.avif",
        "480/articles/photo.jpg.png",
        "480/articles/photo.jpg.gif",
        "480/articles/photo.jpg",
        "480/articles/missing.jpg.avif",
        "480/articles/drawing.svg.avif",
        "480/articles/drawing.svg.svg",
        "480/../secret.jpg.avif",
        "480/..%2fsecret.jpg.avif",
        "480//etc/passwd.avif",
        "480/articles/way-out.jpg.avif",
        "480/articles/.hidden.jpg.avif",
        "480/site.toml.avif",
    ],
)
def test_no_other_copy_is_made(
    client: FlaskClient, settings: Settings, photo: Path, tmp_path: Path, address: str
) -> None:
    folder = settings.content_dir / "articles"
    for secret in (tmp_path / "secret.jpg", folder / ".hidden.jpg"):
        secret.write_bytes(photo.read_bytes())
    (folder / "way-out.jpg").symlink_to(tmp_path / "secret.jpg")
    (folder / "drawing.svg").write_text('<svg xmlns="http://www.w3.org/2000/svg" width="900" height="9"/>')
    assert client.get(f"/pictures/{address}").status_code in (308, 404)
    assert not (settings.var_dir / "cache" / "images").exists()


def test_a_damaged_image_is_served_as_it_is(client: FlaskClient, photo: Path) -> None:
    photo.write_bytes(photo.read_bytes()[:700])
    answer = client.get("/pictures/480/articles/photo.jpg.avif")
    assert (answer.status_code, answer.mimetype) == (200, "image/jpeg")
    assert answer.data == photo.read_bytes()
    assert answer.headers["Cache-Control"] == "public, max-age=0, must-revalidate"
