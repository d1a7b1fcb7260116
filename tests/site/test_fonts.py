"""The publisher's own fonts: served, preloaded, asked for before ours, and missed by nobody."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import time_machine
from click.testing import CliRunner
from flask.testing import FlaskClient

from blog.cli import cli
from blog.settings import Settings
from blog.web.static_files import FOLDER
from tests.content.folders import write
from tests.export.conftest import blog
from tests.site.pages import read

TEXT, HEAD = (FOLDER / "fonts" / f"{name}.woff2" for name in ("text-italic", "head-ext"))
BOTH = '\n[fonts]\ntext = "fonts/own-text.woff2"\nheading = "fonts/own-head.woff2"\n'


@pytest.fixture
def content(settings: Settings) -> Path:
    """The content folder with two fonts in it, which nothing names yet."""
    write(settings.content_dir, "fonts/own-text.woff2", TEXT.read_bytes())
    write(settings.content_dir, "fonts/own-head.woff2", HEAD.read_bytes())
    return settings.content_dir


def say(content: Path, more: str) -> None:
    path = content / "site.toml"
    path.write_text(path.read_text() + more)


def preloaded(client: FlaskClient) -> list[str]:
    """Return the fonts that a page has loaded first."""
    links = read(client.get("/").text).all("link")
    assert all("crossorigin" in link for link in links if link["rel"] == "preload")
    return [link["href"] for link in links if link["rel"] == "preload"]


def theme(client: FlaskClient) -> str:
    """Return the style sheet of the colours and fonts, by the address that pages have."""
    links = read(client.get("/").text).all("link")
    (address,) = (link["href"] for link in links if link["href"].startswith("/theme.css"))
    return client.get(address).text


def test_two_fonts_are_preloaded_named_and_kept_for_a_year(client: FlaskClient, content: Path) -> None:
    say(content, BOTH)
    head, text = preloaded(client)
    assert re.fullmatch("/fonts/[0-9a-f]{12}/fonts/own-head.woff2", head)
    assert f"@font-face{{font-family:Own Head;src:url({head}) " in theme(client)
    assert f"@font-face{{font-family:Own Text;src:url({text}) " in theme(client)
    for address, file in ((text, TEXT), (head, HEAD)):
        answer = client.get(address)
        assert answer.data == file.read_bytes()
        assert answer.headers["Content-Type"] == "font/woff2"
        assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
        assert "font-src 'self'" in answer.headers["Content-Security-Policy"]


def test_the_style_sheet_asks_for_them_before_ours(client: FlaskClient) -> None:
    style = (FOLDER / "site.css").read_text()
    assert '--head:Own Head,Head,"Head Fallback"' in style
    assert '--text:Own Text,Text,"Text Fallback"' in style
    assert "Own" not in theme(client)


@pytest.mark.parametrize(("use", "kept"), [("text", "head"), ("heading", "text")])
def test_of_one_font_alone_ours_keeps_the_other_place(
    client: FlaskClient, content: Path, use: str, kept: str
) -> None:
    say(content, f'\n[fonts]\n{use} = "fonts/own-text.woff2"\n')
    assert theme(client).count("@font-face") == 1
    ours, own = sorted(preloaded(client), key=lambda address: address.startswith("/fonts/"))
    assert ours.startswith("/static/")
    assert ours.endswith(f"/fonts/{kept}.woff2")
    assert client.get(own).data == TEXT.read_bytes()


def test_one_file_for_both_is_loaded_once(client: FlaskClient, content: Path) -> None:
    say(content, '\n[fonts]\ntext = "fonts/own-text.woff2"\nheading = "./fonts/own-text.woff2"\n')
    assert len(preloaded(client)) == 1
    assert theme(client).count("@font-face") == 2


def test_only_a_font_without_weights_of_its_own_has_its_bold_made_up(
    client: FlaskClient, content: Path
) -> None:
    say(content, BOTH)
    assert theme(client).count("font-weight:100 900") == 2
    single = bytearray(TEXT.read_bytes())
    single[single.index(47, 48)] = 16  # the variations are taken for another table
    write(content, "fonts/own-text.woff2", bytes(single) + b" ")
    with time_machine.travel(datetime.now(UTC) + timedelta(seconds=1)):
        assert theme(client).count("font-weight:100 900") == 1


def test_a_replaced_font_has_a_new_address_and_the_old_one_is_hardly_kept(
    client: FlaskClient, content: Path
) -> None:
    say(content, BOTH)
    head, text = preloaded(client)
    write(content, "fonts/own-text.woff2", HEAD.read_bytes())
    with time_machine.travel(datetime.now(UTC) + timedelta(seconds=1)):
        again, other = preloaded(client)
        assert again == head
        assert other != text
        assert other in theme(client)
        assert client.get(text).headers["Cache-Control"] == "public, max-age=60"


@pytest.mark.parametrize("bad", [None, b"", b"\0\1\0\0 a TrueType font", TEXT.read_bytes()[:60]])
def test_a_missing_or_broken_font_is_named_in_one_line_and_ours_is_shown(
    client: FlaskClient, content: Path, bad: bytes | None
) -> None:
    say(content, BOTH)
    path = content / "fonts" / "own-text.woff2"
    path.unlink()
    if bad is not None:
        path.write_bytes(bad)
    head, text = preloaded(client)
    assert head.startswith("/fonts/")
    assert text.startswith("/static/")
    assert "Own Text" not in theme(client)
    assert client.get("/fonts/0/fonts/own-text.woff2").status_code == 404
    said = CliRunner().invoke(cli, ["check", str(content)])
    assert said.exit_code == 1
    (line,) = (line for line in said.output.splitlines() if "own-text" in line)
    assert re.match(
        r"site\.toml:\d+: text: 'fonts/own-text.woff2' is no WOFF2 font .* — write the path", line
    )
    path.write_bytes(TEXT.read_bytes())
    with time_machine.travel(datetime.now(UTC) + timedelta(seconds=1)):
        assert preloaded(client)[1].startswith("/fonts/")


@pytest.mark.parametrize(
    "address",
    [
        "/fonts/0/fonts/own-head.woff2",
        "/fonts/0/own-text.woff2",
        "/fonts/0/..%2fsite.toml",
        "/fonts/0/site.toml",
        "/media/fonts/own-text.woff2",
    ],
)
def test_no_file_is_served_that_the_site_does_not_name(
    client: FlaskClient, content: Path, address: str
) -> None:
    say(content, '\n[fonts]\ntext = "fonts/own-text.woff2"\n')
    assert client.get(address).status_code == 404


def test_an_export_carries_them(
    client: FlaskClient, content: Path, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = ("database_url", "site_url", "content_dir", "var_dir", "postal_address", "mail_default_sender")
    for name in told:
        monkeypatch.setenv(f"BLOG_{name.upper()}", str(getattr(settings, name)))
    monkeypatch.setenv("BLOG_SECRET_KEY", settings.secret_key.get_secret_value())
    say(content, BOTH)
    blog("export", str(tmp_path / "out"), "--without-cards")
    for address in preloaded(client):
        assert (tmp_path / "out" / address[1:]).read_bytes() == client.get(address).data
    rules = (tmp_path / "out" / ".server" / "http.conf").read_text()
    assert '"~^/fonts/" "public, max-age=31536000, immutable";' in rules
