"""Smaller copies of a photograph or screenshot: which of them are offered, and how each is made."""

import hashlib
import io
import struct
import warnings
from dataclasses import dataclass
from pathlib import Path

from PIL import Image, ImageCms, ImageOps

WIDTHS = (480, 800, 1200, 1600)
#: Raised whenever the same copy would be made differently.
COPY_VERSION = 1
#: An image with more pixels than this is shown as it is and never opened: a small file can unpack to
#: gigabytes. A camera's 24 million fit.
MOST_PIXELS = 40_000_000
#: The formats that are better than any original, best first.
MODERN = ("avif", "webp")

_ORIGINALS = {"JPEG": ("jpg", "jpeg"), "PNG": ("png",), "WEBP": ("webp",)}
_SAVED_AS = {"avif": "AVIF", "webp": "WEBP", "png": "PNG", "jpg": "JPEG", "jpeg": "JPEG"}
_OPTIONS: dict[str, dict[str, int | bool]] = {
    "AVIF": {"quality": 62, "speed": 6},
    "WEBP": {"quality": 78, "method": 4},
    "PNG": {"optimize": True},
    "JPEG": {"quality": 80, "progressive": True, "optimize": True},
}
_MODES = {"1", "L", "LA", "P", "PA", "RGB", "RGBA", "CMYK", "YCbCr"}
_ORIENTATION = 0x0112
_BOMB = (Image.DecompressionBombError, Image.DecompressionBombWarning)
#: What damaged files, and the metadata in them, have been seen to raise.
_UNREADABLE = (
    OSError,
    ValueError,
    ArithmeticError,
    LookupError,
    SyntaxError,
    TypeError,
    EOFError,
    struct.error,
    Warning,
)

# What is said of damaged metadata helps nobody here; of too many pixels we say it with the article's name.
warnings.filterwarnings("ignore", module=r"PIL\.")


def version(fingerprint: str) -> str:
    """Return what the addresses of an image's copies carry, so that new bytes have new addresses."""
    return hashlib.sha256(f"{COPY_VERSION} {fingerprint}".encode()).hexdigest()[:12]


class TooLarge(Exception):
    """An image of more pixels than are ever opened."""


@dataclass(frozen=True)
class Raster:
    """An image as a reader sees it, turned upright; without an `ending`, no copies can be made of it."""

    width: int
    height: int
    ending: str | None = None

    def widths(self) -> tuple[int, ...]:
        """Return the widths that copies come in, the image's own among them if that is not too wide."""
        if self.ending is None or self.width <= WIDTHS[0]:
            return ()
        own = (self.width,) if self.width <= WIDTHS[-1] else ()
        return (*(width for width in WIDTHS if width < self.width), *own)


def measure(path: Path) -> Raster | None:
    """Read an image's header; None when it is none that can be read. Raises `TooLarge`."""
    try:
        with Image.open(path) as image:
            return _measured(image, path.suffix[1:].lower())
    except _BOMB:
        raise TooLarge from None
    except _UNREADABLE:
        return None


def _measured(image: Image.Image, suffix: str) -> Raster:
    width, height = image.size
    if width * height > MOST_PIXELS:
        raise TooLarge
    # Of a PNG this would unpack the whole image, unless the orientation stands before it.
    turned = image.format != "PNG" or "exif" in image.info
    if turned and image.getexif().get(_ORIENTATION, 1) >= 5:
        width, height = height, width
    still = not getattr(image, "is_animated", False)
    known = suffix in _ORIGINALS.get(image.format or "", ()) and image.mode in _MODES
    return Raster(width, height, suffix if still and known else None)


def offered(path: Path, width: int, ending: str) -> bool:
    """Say whether a copy of an image in this width and format is one that pages list."""
    try:
        raster = measure(path)
    except TooLarge:
        return False
    return raster is not None and ending in (*MODERN, raster.ending) and width in raster.widths()


def make(data: bytes, width: int, ending: str) -> bytes | None:
    """Return a copy without its metadata, upright, in sRGB; None when the image is damaged."""
    try:
        with Image.open(io.BytesIO(data), formats=tuple(_ORIGINALS)) as image:
            if image.width * image.height > MOST_PIXELS:
                return None
            return _encoded(_shrunk(image, width), _SAVED_AS[ending], flat=image.mode == "P")
    except (*_BOMB, *_UNREADABLE):
        return None


def _shrunk(image: Image.Image, width: int) -> Image.Image:
    # A JPEG can be unpacked at half or a quarter of its size; the longer side, as it may lie on its side.
    image.draft(None, (2 * width, 2 * width))
    upright = _coloured(ImageOps.exif_transpose(image))
    height = max(1, round(upright.height * width / upright.width))
    return upright.resize((width, height), Image.Resampling.LANCZOS, reducing_gap=3.0)


def _coloured(image: Image.Image) -> Image.Image:
    """Return an image in the colours that every screen knows, since its profile is not passed on."""
    mode = "RGBA" if image.has_transparency_data else "RGB"
    plain = image.convert(mode)
    profile = image.info.get("icc_profile")
    if not profile:
        return plain
    try:
        given, wanted = ImageCms.ImageCmsProfile(io.BytesIO(profile)), ImageCms.createProfile("sRGB")
        source = image if image.mode == "CMYK" else plain
        return ImageCms.profileToProfile(source, given, wanted, outputMode=mode) or plain
    except (ImageCms.PyCMSError, OSError):
        return plain  # a damaged profile, or one for other colours


def _encoded(image: Image.Image, kind: str, flat: bool) -> bytes:
    if kind == "PNG" and flat:
        image = image.quantize(256, Image.Quantize.FASTOCTREE)  # as few colours as the original had
    image.info = {}  # where a photograph was taken, and by whose camera, is nobody's business
    file = io.BytesIO()
    image.save(file, kind, **_OPTIONS[kind])
    return file.getvalue()
