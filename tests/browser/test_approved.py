"""Every page and mail looks as it did when somebody last looked at it: `make approve` keeps what is seen now.

The shots are compared small and square by square, with a tolerance for how machines draw letters; what moved,
vanished or changed colour is found, a changed word hardly.
"""

import io
import os
import shutil
from collections.abc import Iterator
from itertools import product
from pathlib import Path

import pytest
from PIL import Image, ImageChops
from playwright.sync_api import Browser, Page

from tests.browser.gallery import Picture, Stage, stage
from tests.mails.golden import Golden

pytestmark = [pytest.mark.browser, pytest.mark.looks]

APPROVED = Path(__file__).parent / "approved"
#: Fonts and images are there, and no caret blinks.
SETTLED = """async () => {
  for (const image of document.images) image.loading = 'eager';
  await Promise.all([...document.images].map(image => image.decode().catch(() => null)));
  await document.fonts.ready;
  document.activeElement.blur();
}"""
#: The reference of a fault is another each time.
DRAWN_BY_LOT = """() => document.querySelectorAll('main code').forEach(code => {
  if (/^[0-9a-zA-Z]{4}-[0-9a-zA-Z]{4}$/.test(code.textContent)) code.textContent = '0000-0000';
})"""
WIDTHS, SCHEMES = (360, 768, 1280), ("light", "dark")
#: How much of a long page is looked at, in pixels of the screen.
TALLEST = 3_000
#: The shots are kept 180, 192 and 320 pixels wide, which shows what moved; the browser itself draws at half.
SMALLER = {360: 2, 768: 4, 1280: 4, 320: 2, 600: 4}
MAIL = "mail-"
#: Some programs turn every colour round, some drop every style.
MAIL_LOOKS = {
    "light": (600, "0"),
    "phone": (320, "0"),
    "dark": (600, "0"),
    "inverted": (600, "document.documentElement.style.filter = 'invert(1) hue-rotate(180deg)'"),
    "bare": (
        320,
        """document.querySelectorAll('style').forEach(element => element.remove());
        document.querySelectorAll('[style]').forEach(element => element.removeAttribute('style'))""",
    ),
}
SCALE = 0.5
#: A shot is judged by squares of so many pixels, each by its mean colour. A line of small grey letters that
#: vanishes changes that of its squares by twenty (of 255), how a machine draws them by a few.
SQUARE, MOST_DIFFERENT = 8, 15
QUALITY = 70
#: A line more or less in a whole page may be a matter of the machine's code font.
MOST_TALLER = 0.03


@pytest.fixture(scope="module")
def gallery(migrated_sqlite: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    folder = tmp_path_factory.mktemp("gallery")
    shutil.copy(migrated_sqlite, folder / "blog.db")
    with stage(folder, folder / "blog.db") as running:
        yield running


def test_every_page_looks_as_approved(browser: Browser, gallery: Stage, tmp_path: Path) -> None:
    shown = [picture for picture in gallery.pictures if not picture.unsteady]
    shots = (shot for picture in shown for shot in _shots(browser, gallery.site, picture))
    _judge(shots, {path.name for path in APPROVED.glob("*.webp") if not path.name.startswith(MAIL)}, tmp_path)


def test_every_mail_looks_as_approved(browser: Browser, mails: list[Golden], tmp_path: Path) -> None:
    shots = (shot for golden in mails for shot in _mail_shots(browser, golden))
    _judge(shots, {path.name for path in APPROVED.glob(f"{MAIL}*.webp")}, tmp_path)


def _judge(shots: Iterator[tuple[str, Image.Image]], approved: set[str], folder: Path) -> None:
    """Compare shots with the approved ones, or keep them as such; none is too many or too few."""
    approving, wrong = bool(os.environ.get("APPROVE")), []
    kept: set[str] = set()
    for name, shot in shots:
        kept.add(name)
        complaint = None if approving else _compare(name, shot)
        if approving:
            _keep(APPROVED / name, shot)
        elif complaint:
            shot.save(folder / name, lossless=True)
            wrong.append(f"{name}: {complaint}")
    if approving:
        for name in approved - kept:
            (APPROVED / name).unlink()
    assert approving or approved - kept == set()
    assert wrong == [], f"look at the new shots in {folder}; if they are right: make approve"


def test_the_approved_set_stays_small() -> None:
    assert sum(path.stat().st_size for path in APPROVED.glob("*.webp")) < 4_500_000


def _shots(browser: Browser, site: str, picture: Picture) -> Iterator[tuple[str, Image.Image]]:
    """Yield a shot of a page at every width and in both schemes."""
    context = browser.new_context(
        viewport={"width": 1280, "height": 900}, reduced_motion="reduce", device_scale_factor=SCALE
    )
    page = context.new_page()
    picture.open(page, site)
    page.evaluate(SETTLED)
    page.evaluate(DRAWN_BY_LOT)
    for width, scheme in product(WIDTHS, SCHEMES):
        page.set_viewport_size({"width": width, "height": 900})
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        yield f"{picture.name}-{width}-{scheme}.webp", _shot(page, width)
    context.close()


def _mail_shots(browser: Browser, golden: Golden) -> Iterator[tuple[str, Image.Image]]:
    """Yield shots of a mail: narrow, wide, dark, as a program inverts it, and without its styles."""
    context = browser.new_context(device_scale_factor=SCALE)
    page = context.new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    for look, (width, change) in MAIL_LOOKS.items():
        page.set_viewport_size({"width": width, "height": 900})
        page.emulate_media(color_scheme="dark" if look == "dark" else "light")
        page.set_content(golden.email.html)
        page.evaluate(change)
        yield f"{golden.name}-{width}-{look}.webp", _shot(page, width)
    context.close()
    assert asked == [], "a mail fetches nothing"


def _shot(page: Page, width: int) -> Image.Image:
    height = min(TALLEST, int(page.evaluate("document.documentElement.scrollHeight")))
    clip = {"x": 0, "y": 0, "width": width, "height": height}
    shot = Image.open(io.BytesIO(page.screenshot(full_page=True, clip=clip)))  # type: ignore[arg-type]
    return shot.convert("RGB").reduce(round(SMALLER[width] * SCALE))


def _compare(name: str, shot: Image.Image) -> str | None:
    """Return what is wrong with a shot, or None."""
    if not (APPROVED / name).exists():
        return "nobody has approved this page yet"
    approved = Image.open(APPROVED / name).convert("RGB")
    taller = shot.height - approved.height
    if abs(taller) > max(2, MOST_TALLER * approved.height):
        return f"is {abs(taller) / approved.height:.0%} {'taller' if taller > 0 else 'shorter'} than approved"
    # What keeping a picture does to it is done to both.
    kept = Image.open(io.BytesIO(_coded(shot))).convert("RGB")
    red, green, blue = ImageChops.difference(*_squares(kept, approved)).split()
    different = ImageChops.lighter(ImageChops.lighter(red, green), blue)
    values = different.tobytes()
    worst = max(values)
    if worst <= MOST_DIFFERENT:
        return None
    place = values.index(worst)
    down, right = (SQUARE * step for step in divmod(place, different.width))
    return f"looks different {down} down and {right} right of its corner, by {worst} of 255"


def _squares(*images: Image.Image) -> list[Image.Image]:
    """Return images as the mean colours of their squares, as far down as all of them go."""
    width, height = images[0].width, min(image.height for image in images)
    size = (max(1, width // SQUARE), max(1, height // SQUARE))
    return [image.crop((0, 0, width, height)).resize(size, Image.Resampling.BOX) for image in images]


def _keep(path: Path, shot: Image.Image) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(_coded(shot))


def _coded(shot: Image.Image) -> bytes:
    coded = io.BytesIO()
    shot.save(coded, "WEBP", quality=QUALITY, method=6)
    return coded.getvalue()


def test_what_vanished_or_changed_colour_is_found_and_noise_is_not() -> None:
    name = "article-1280-light.webp"
    approved = Image.open(APPROVED / name).convert("RGB")
    assert _compare(name, approved.point(lambda value: min(255, value + 6))) is None
    # In pixels of the picture, a quarter of the screen's.
    places = {
        "the topic above": (14, 31, 32, 37),
        "the by-line": (75, 88, 160, 97),
        "the way around": (195, 4, 305, 12),
        "the drawing": (240, 30, 305, 72),
        "the masthead": (0, 0, 320, 14),
        "a line of prose": (70, 110, 235, 116),
    }
    for what, place in places.items():
        assert "looks different" in (_compare(name, _without(approved, place)) or ""), what
    red, green, blue = approved.split()
    assert "looks different" in (_compare(name, Image.merge("RGB", (blue, green, red))) or ""), "the accent"
    assert "looks different" in (_compare(name, ImageChops.invert(approved)) or "")
    taller = Image.new("RGB", (approved.width, round(approved.height * 1.1)))
    assert _compare(name, taller) == "is 10% taller than approved"


def test_a_note_beside_the_text_and_the_rail_of_contents_do_not_go_unnoticed() -> None:
    name = "article-in-a-series-1280-light.webp"
    approved = Image.open(APPROVED / name).convert("RGB")
    assert "looks different" in (_compare(name, _without(approved, (10, 30, 70, 200))) or "")


def _without(image: Image.Image, place: tuple[int, int, int, int]) -> Image.Image:
    """Return an image with the colour of its edge in one place."""
    edge = image.crop((2, image.height // 2, 3, image.height // 2 + 1))
    emptied = image.copy()
    emptied.paste(edge.resize((place[2] - place[0], place[3] - place[1])), place)
    return emptied
