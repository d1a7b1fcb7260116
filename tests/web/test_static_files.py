"""The site's own files."""

import gzip
import io
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from PIL import ImageFont

from blog.web import static_files


def test_a_file_is_kept_for_a_year_under_the_address_pages_use(app: Flask, client: FlaskClient) -> None:
    address = app.jinja_env.globals["static"]("site.css")  # type: ignore[operator]
    assert address in client.get("/").text
    answer = client.get(address)
    assert answer.mimetype == "text/css"
    assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"


def test_the_address_of_another_release_is_served_but_hardly_kept(client: FlaskClient) -> None:
    answer = client.get("/static/000000000000/site.css")
    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "public, max-age=60"


@pytest.mark.parametrize(
    "name", ["nothing.css", "../app.py", "..%2fapp.py", "fonts/../../app.py", "/etc/passwd", "."]
)
def test_only_files_of_the_folder_can_be_had(client: FlaskClient, name: str) -> None:
    assert client.get(f"/static/000000000000/{name}").status_code == 404


def test_the_digest_changes_with_any_file(tmp_path: Path) -> None:
    (tmp_path / "a.css").write_text("a{}")
    before = static_files.read(tmp_path)
    (tmp_path / "a.css").write_text("b{}")
    assert static_files.read(tmp_path).digest != before.digest


def test_a_name_that_does_not_exist_is_a_mistake_in_a_template() -> None:
    with pytest.raises(LookupError, match=r"nothing\.css"):
        static_files.read().address("nothing.css")


def test_what_a_reader_loads_first_stays_small() -> None:
    files = static_files.read().files
    assert len(gzip.compress(files["site.css"])) <= 7 * 1024
    assert len(files["fonts/text.woff2"]) + len(files["fonts/head.woff2"]) <= 60_000
    for name in ("text", "head", "text-italic", "text-ext", "head-ext"):
        [weight] = ImageFont.truetype(io.BytesIO(files[f"fonts/{name}.woff2"])).get_variation_axes()
        assert (weight["name"], weight["minimum"]) == (b"Weight", 400)
        assert weight["maximum"] >= 700, "one file serves every weight"
    assert {"fonts/LICENSE-source-serif-4.txt", "fonts/LICENSE-schibsted-grotesk.txt"} <= files.keys()
