"""The cards that other sites show: always whole, always the same, never a box for a letter."""

import io
import json
import re
import time
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st
from PIL import Image, ImageChops

from blog.settings import Settings
from blog.site import lettering, pen, sketch
from blog.site.card import HEIGHT, WIDTH, Card
from blog.site.card_picture import MARGIN, SIZES, TITLE_HEIGHT, png
from blog.site.keeping import kept
from blog.site.motifs import MOTIFS
from tests.site.pages import read

ADDRESS = "/cards/backend-2-0.png"
ROOM = WIDTH - 2 * MARGIN
LONG = (
    "What is the best framework to learn in a year when every team around you has chosen one already, "
    "and nobody remembers precisely why they did so at the time?"
)


def _card(title: str, slug: str = "piece") -> Card:
    return Card(slug, title, "systems", "Systems", "November 24, 2026", "Signal & System", "#2A3BE0")


def _drawn(card: Card) -> Image.Image:
    return Image.open(io.BytesIO(png(card))).convert("RGB")


def _ink(picture: Image.Image) -> tuple[int, int, int, int]:
    box = ImageChops.invert(picture).getbbox()
    assert box
    return box


def test_a_card_is_a_small_png_of_the_size_that_is_announced(client: FlaskClient) -> None:
    answer = client.get(ADDRESS)
    assert (answer.status_code, answer.mimetype) == (200, "image/png")
    assert answer.headers["Cross-Origin-Resource-Policy"] == "cross-origin"
    with Image.open(io.BytesIO(answer.data)) as picture:
        assert (picture.format, picture.size) == ("PNG", (1200, 630))
    assert len(answer.data) < 60_000


def test_the_head_of_an_article_names_its_card_by_an_absolute_address(client: FlaskClient) -> None:
    page = client.get("/articles/backend-2-0").text
    metas = read(page).all("meta")
    said = {
        meta.get("property", meta.get("name", "")): meta["content"] for meta in metas if "content" in meta
    }
    address = said["og:image"]
    assert re.fullmatch(r"https://news\.example\.org/cards/backend-2-0\.png\?v=[0-9a-f]{12}", address)
    assert (said["og:image:width"], said["og:image:height"]) == ("1200", "630")
    assert said["og:image:alt"] == "Backend 2.0: Systems <Thinking> First — Signal & System"
    assert said["twitter:card"] == "summary_large_image"
    block = re.search(r'<script type="application/ld\+json">(.*?)</script>', page)
    assert block
    assert json.loads(block.group(1))["image"]["url"] == address
    answer = client.get(address.removeprefix("https://news.example.org"))
    assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"


def test_a_card_is_kept_by_readers_and_by_the_site(client: FlaskClient, settings: Settings) -> None:
    first = client.get(ADDRESS)
    assert first.headers["Cache-Control"] == "public, max-age=3600"
    again = client.get(ADDRESS, headers={"If-None-Match": first.headers["ETag"]})
    assert again.status_code == 304
    [file] = (settings.var_dir / "cache" / "cards").iterdir()
    assert file.read_bytes() == first.data
    file.unlink()
    assert client.get(ADDRESS).data == first.data


def test_another_accent_makes_another_card(client: FlaskClient, settings: Settings) -> None:
    before = client.get(ADDRESS)
    text = (settings.content_dir / "site.toml").read_text().replace("#2A3BE0", "#0A7A3C")
    (settings.content_dir / "site.toml").write_text(text + "\n")
    client.application.extensions["page_cache"].editions.certain()  # or half a second later
    assert client.get(ADDRESS).data != before.data


def test_a_card_is_served_where_nothing_can_be_written(client: FlaskClient, settings: Settings) -> None:
    settings.var_dir.mkdir(exist_ok=True)
    (settings.var_dir / "cache").write_text("in the way")
    assert client.get(ADDRESS).status_code == 200


@pytest.mark.parametrize("slug", ["none", "..%2fblog", "backend-2-0.png"])
def test_what_is_no_article_has_no_card(client: FlaskClient, slug: str) -> None:
    assert client.get(f"/cards/{slug}.png").status_code == 404


@pytest.mark.parametrize("title", ["RAG", LONG, "W" * 200, "Donaudampfschiff" * 6 + " und mehr", "ÅÇ" * 30])
def test_no_title_leaves_its_card(title: str) -> None:
    left, top, right, bottom = _ink(_drawn(_card(title)))
    assert left >= MARGIN - 8
    assert top >= MARGIN // 2
    assert right <= WIDTH - MARGIN + 8
    assert bottom <= HEIGHT - MARGIN + 12


def test_the_same_card_is_the_same_picture() -> None:
    assert png(_card("Back-pressure")) == png(_card("Back-pressure"))
    assert _card("Back-pressure").version() != _card("Back pressure").version()


def test_a_title_in_another_script_gives_its_place_to_the_drawing() -> None:
    assert lettering.drawable("Очереди и память") is None
    assert lettering.drawable("待ち行列") is None
    wordless = _drawn(_card("Очереди и память"))
    assert ImageChops.difference(wordless, _drawn(_card(""))).getbbox() is None


@pytest.mark.parametrize(
    ("title", "drawn"),
    [
        ("Ship it 🚀 now", "Ship it now"),
        ("Zażółć gęślą jaźń", "Zażółć gęślą jaźń"),
        ("Cafe\u0301\u00a0society", "Café society"),
        ("of\ufb01ce", "office"),
        ("a\u200bb\tc\x00", "ab c"),
    ],
)
def test_a_latin_title_loses_only_what_is_no_letter(title: str, drawn: str) -> None:
    assert lettering.drawable(title) == drawn


@given(st.text(max_size=200))
@examples(max_examples=40, deadline=None)
def test_any_title_fits_its_box(title: str) -> None:
    block = lettering.fitted(lettering.drawable(title) or "", ROOM, TITLE_HEIGHT, SIZES)
    assert block.height <= TITLE_HEIGHT
    font = lettering.font(lettering.BOLD, block.size)
    assert all(font.getlength(line) <= ROOM for line in block.lines)


def test_short_titles_are_large_and_broken_evenly() -> None:
    block = lettering.fitted("Retries are loans", ROOM, TITLE_HEIGHT, SIZES)
    assert (block.size, block.lines) == (104, ["Retries are loans"])
    block = lettering.fitted("Twenty good answers prove very little", ROOM, TITLE_HEIGHT, SIZES)
    assert block.lines == ["Twenty good answers", "prove very little"]


@pytest.mark.parametrize("motif", sorted(MOTIFS))
def test_every_mark_is_drawn_where_the_svg_has_it(motif: str) -> None:
    for draw in MOTIFS[motif]:
        marks = draw(sketch.random_for("a-slug"))
        picture = pen.Pen(480, "#FFFFFF", "#000000", "#0000FF").picture(marks)
        xs = [x * 2 for mark in marks for x, _ in mark.reach]
        left, _, right, _ = _ink(picture)
        assert abs(left - min(xs)) <= 12
        assert abs(right - max(xs)) <= 12


def test_an_arc_bends_the_way_its_flags_say() -> None:
    upper = list(pen.outline("M0 10A10 10 0 0 1 20 10"))
    assert min(y for _, y in upper) == pytest.approx(0, abs=0.1)
    assert max(y for _, y in upper) == pytest.approx(10, abs=0.1)
    large = list(pen.outline("M0 10A10 10 0 1 1 10 20"))
    assert max(x for x, _ in large) == pytest.approx(20, abs=0.1)
    assert large[-1] == pytest.approx((10, 20))


def test_the_store_stays_within_its_size_and_drops_the_oldest(tmp_path: Path) -> None:
    for number in range(4):
        assert kept(tmp_path / f"{number}", 30, lambda: b"x" * 10) == b"x" * 10
        time.sleep(0.01)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["1", "2", "3"]
    assert kept(tmp_path / "3", 30, lambda: b"") == b"x" * 10


def test_a_page_that_is_no_article_has_the_card_of_the_site(client: FlaskClient) -> None:
    for address in ("/", "/topics/systems", "/authors/mara-lindqvist"):
        found = [
            meta["content"]
            for meta in read(client.get(address).text).all("meta")
            if meta.get("property") == "og:image"
        ]
        assert len(found) == 1
        assert found[0].startswith("https://news.example.org/card.png?v=")
    answer = client.get(found[0].removeprefix("https://news.example.org"))
    assert Image.open(io.BytesIO(answer.data)).size == (WIDTH, HEIGHT)
    assert "immutable" in answer.headers["Cache-Control"]
