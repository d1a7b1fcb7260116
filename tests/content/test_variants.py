"""Smaller copies of images: which are offered, what is in them, and what is never opened."""

import io
import struct
import zlib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageCms

from blog.content import variants
from blog.content.markup import Text, render
from blog.content.offers import fingerprint
from blog.content.references import Shelf
from blog.content.variants import Raster, TooLarge, make, measure, offered, version

ORIENTATION, CAMERA = 0x0112, 0x010F


def picture(kind: str, size: tuple[int, int], mode: str = "RGB", **options: object) -> bytes:
    """Return an image whose left half is dark."""
    image = Image.new(mode, size, "white")
    image.paste("black", (0, 0, size[0] // 2, size[1]))
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def header_only(width: int, height: int) -> bytes:
    """Return a PNG that claims a size and has no pixels."""
    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    chunk = struct.pack(">I", len(head)) + b"IHDR" + head + struct.pack(">I", zlib.crc32(b"IHDR" + head))
    return (
        b"\x89PNG\r\n\x1a\n" + chunk + struct.pack(">I", 0) + b"IDAT" + struct.pack(">I", zlib.crc32(b"IDAT"))
    )


def turned() -> bytes:
    exif = Image.Exif()
    exif[ORIENTATION], exif[CAMERA] = 6, "A camera"
    return picture("JPEG", (900, 600), exif=exif)


def put(folder: Path, name: str, data: bytes) -> Path:
    (folder / "articles").mkdir(exist_ok=True)
    (folder / "articles" / name).write_bytes(data)
    return folder / "articles" / name


def html(folder: Path, body: str) -> str:
    return render(Text("articles/a.md", body, 1, "T"), Shelf(folder)).html


@pytest.mark.parametrize(
    ("width", "widths"),
    [
        (300, ()),
        (480, ()),
        (481, (480, 481)),
        (1000, (480, 800, 1000)),
        (1600, (480, 800, 1200, 1600)),
        (4000, (480, 800, 1200, 1600)),
    ],
)
def test_copies_are_smaller_than_the_image_or_as_large(width: int, widths: tuple[int, ...]) -> None:
    assert Raster(width, 100, "png").widths() == widths
    assert Raster(width, 100).widths() == ()


def test_a_page_lists_every_copy_with_its_format_and_width(tmp_path: Path) -> None:
    put(tmp_path, "a, b.png", picture("PNG", (700, 350)))
    made = html(tmp_path, "![One](a,%20b.png)\n\n![Two](a,%20b.png)")
    mark = version(fingerprint(tmp_path / "articles/a, b.png"))
    name, sizes = "articles/a%2C%20b.png", 'sizes="min(700px, 38rem, 100vw - 2.5rem)"'
    choice = [
        f'srcset="/pictures/480-{mark}/{name}.{ending} 480w, '
        f'/pictures/700-{mark}/{name}.{ending} 700w" {sizes}'
        for ending in ("avif", "webp", "png")
    ]
    sources = f'<source type="image/avif" {choice[0]}><source type="image/webp" {choice[1]}>'
    first = 'width="700" height="350" fetchpriority="high"'
    image = f'<img alt="One" src="/media/{name}" {first} {choice[2]}>'
    assert f"<p><picture>{sources}{image}</picture></p>" in made
    assert made.count('loading="lazy"') == 1


def test_a_webp_image_is_its_own_modern_format_and_a_caption_stays(tmp_path: Path) -> None:
    put(tmp_path, "a.webp", picture("WEBP", (500, 100)))
    made = html(tmp_path, '![One](a.webp "The caption")')
    assert made.startswith('<figure><picture><source type="image/avif"')
    assert made.count("<source") == 1
    assert made.endswith("</picture><figcaption>The caption</figcaption></figure>")
    assert "title=" not in made


def test_what_authors_write_as_a_picture_is_replaced_by_ours(tmp_path: Path) -> None:
    put(tmp_path, "a.png", picture("PNG", (500, 100)))
    source, image = '<source srcset="https://evil.test/x 1x">', '<img src="a.png" srcset="//evil.test/y">'
    made = html(tmp_path, f"<picture>{source}{image}</picture>")
    assert "evil" not in made
    assert made.count("<picture>") == 1


@pytest.mark.parametrize(
    "name", ["small.png", "drawing.svg", "moving.gif", "moving.webp", "lies.jpg", "deep.png"]
)
def test_what_no_copy_helps_is_left_as_it_is(tmp_path: Path, name: str) -> None:
    frames = [Image.new("RGB", (600, 100), colour) for colour in ("red", "blue")]
    moving = {"save_all": True, "append_images": frames[1:]}
    put(tmp_path, "small.png", picture("PNG", (480, 100)))
    put(tmp_path, "drawing.svg", b'<svg xmlns="http://www.w3.org/2000/svg" width="900" height="90"/>')
    put(tmp_path, "lies.jpg", picture("PNG", (600, 100)))
    put(tmp_path, "deep.png", _deep())
    for kind in ("gif", "webp"):
        file = io.BytesIO()
        frames[0].save(file, kind, **moving)
        put(tmp_path, f"moving.{kind}", file.getvalue())
    made = html(tmp_path, f"![One]({name})")
    assert made.startswith(f'<p><img alt="One" src="/media/articles/{name}" width="')
    assert "srcset" not in made


def _deep() -> bytes:
    file = io.BytesIO()
    Image.new("I;16", (600, 100)).save(file, "PNG")
    return file.getvalue()


@pytest.mark.parametrize("size", [(8000, 5001), (20_000, 20_000), (2**31 - 1, 2**31 - 1)])
def test_an_image_that_unpacks_to_gigabytes_is_reported_and_never_opened(
    tmp_path: Path, size: tuple[int, int]
) -> None:
    path = put(tmp_path, "a.png", header_only(*size))
    rendered = render(Text("articles/a.md", "Text\n\n![x](a.png)", 10, "T"), Shelf(tmp_path))
    assert "<picture" not in rendered.html
    message = "the image a.png has more than 40 million pixels, and is shown as it is"
    assert [(problem.line, problem.message) for problem in rendered.problems] == [(12, message)]
    with pytest.raises(TooLarge):
        measure(path)
    assert not offered(path, 480, "avif")
    assert make(path.read_bytes(), 480, "avif") is None


@pytest.mark.parametrize(("kind", "endings"), [("PNG", "png"), ("JPEG", "jpg jpeg"), ("WEBP", "webp")])
def test_every_copy_has_the_width_and_the_format_it_is_asked_for(kind: str, endings: str) -> None:
    data = picture(kind, (1000, 500))
    for ending in ("avif", "webp", *endings.split()):
        made = make(data, 480, ending)
        assert made
        with Image.open(io.BytesIO(made)) as copy:
            assert (copy.format, copy.size) == (variants._SAVED_AS[ending], (480, 240))
            assert copy.convert("L").getpixel((100, 100)) < 20
            assert copy.convert("L").getpixel((380, 100)) > 235


def test_a_photograph_is_turned_upright_and_loses_its_metadata(tmp_path: Path) -> None:
    path = put(tmp_path, "a.jpg", turned())
    assert measure(path) == Raster(600, 900, "jpg")
    for ending in ("avif", "webp", "jpg"):
        made = make(path.read_bytes(), 480, ending)
        assert made
        assert b"A camera" not in made
        with Image.open(io.BytesIO(made)) as copy:
            assert copy.size == (480, 720)
            assert not dict(copy.getexif())
            # What lay at the left is at the top once the camera's turn is undone.
            assert copy.convert("L").getpixel((240, 100)) < 20


def test_transparency_stays_and_profiles_go(tmp_path: Path) -> None:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    clear = Image.new("RGBA", (600, 60), (255, 0, 0, 0))
    for image in (clear, clear.quantize(16)):
        file = io.BytesIO()
        image.save(file, "PNG", icc_profile=profile)
        for ending in ("avif", "webp", "png"):
            made = make(file.getvalue(), 480, ending)
            assert made
            with Image.open(io.BytesIO(made)) as copy:
                assert "icc_profile" not in copy.info
                assert copy.convert("RGBA").getpixel((5, 5))[3] == 0


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "CMYK", "RGBA"])
def test_any_kind_of_pixels_can_be_copied(mode: str) -> None:
    kind = "JPEG" if mode == "CMYK" else "PNG"
    file = io.BytesIO()
    Image.new(mode, (600, 60)).save(file, kind, icc_profile=b"damaged")
    for ending in ("avif", "webp", "jpg" if kind == "JPEG" else "png"):
        assert make(file.getvalue(), 480, ending)


@given(st.integers(0, 1200), st.binary(min_size=1, max_size=8), st.booleans())
@settings(max_examples=60, deadline=None)
def test_a_damaged_image_raises_nothing(place: int, garbage: bytes, short: bool) -> None:
    data = turned()
    damaged = data[:place] + garbage + (b"" if short else data[place + len(garbage) :])
    made = make(damaged, 480, "jpg")
    assert made is None or made.startswith(b"\xff\xd8")
