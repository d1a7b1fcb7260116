"""The images and films that lie beside the articles, and the smaller copies of them that pages offer."""

import hashlib
from pathlib import Path

from flask import Blueprint, Response, abort, send_file
from werkzeug.security import safe_join

from blog.content import variants
from blog.site.keeping import kept
from blog.web import headers
from blog.web.context import services
from blog.web.guards import public, unkept

KINDS = {
    ".avif": "image/avif",
    ".gif": "image/gif",
    ".jpeg": "image/jpeg",
    ".jpg": "image/jpeg",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".webp": "image/webp",
}
#: Films are sent in the parts a browser asks for; all others whole.
FILMS = {".m4v": "video/mp4", ".mp4": "video/mp4", ".ogv": "video/ogg", ".webm": "video/webm"}
CAPTIONS = {".vtt": "text/vtt; charset=utf-8"}
SERVED = KINDS | FILMS | CAPTIONS

#: Room for the copies of some thousand photographs.
MOST_BYTES = 1024 * 1024 * 1024
#: Raised whenever the same copy would be made differently.
COPY_VERSION = 1
#: A copy's address says nothing of the image's bytes: who replaces an image is patient for a day.
ONE_DAY = "public, max-age=86400"

blueprint = Blueprint("media", __name__)


@blueprint.get("/media/<path:name>")
@public
@unkept
def file(name: str) -> Response:
    """Serve an image or a film of the content folder; nothing else in that folder can be had."""
    found = _file(services().settings.content_dir, name, SERVED)
    if found is None:
        abort(404)
    if found.suffix.lower() in FILMS:
        return _film(found)
    # Read whole, so that the ETag comes from the bytes and is the same on every host.
    return _answer(found.read_bytes(), found.suffix.lower(), headers.REVALIDATE)


@blueprint.get("/pictures/<int:width>/<path:name>")
@public
@unkept
def copy(width: int, name: str) -> Response:
    """Serve a smaller copy of an image, made on its first request; only those that pages list are made."""
    name, _, ending = name.rpartition(".")
    found = _file(services().settings.content_dir, name, KINDS)
    if found is None or not variants.offered(found, width, ending):
        abort(404)
    data = found.read_bytes()
    key = hashlib.sha256(f"{COPY_VERSION} {width} {ending} ".encode() + data).hexdigest()
    path = services().settings.var_dir / "cache" / "images" / f"{key}.{ending}"
    made = kept(path, MOST_BYTES, lambda: variants.make(data, width, ending))
    if made is None:  # a damaged image is for its reader's browser to make the best of
        return _answer(data, found.suffix.lower(), headers.REVALIDATE)
    return _answer(made, f".{ending}", ONE_DAY)


def _film(path: Path) -> Response:
    """Send a film, or the part of it that is asked for (RFC 9110, section 14)."""
    response = send_file(path, FILMS[path.suffix.lower()], conditional=True)
    response.headers["Cache-Control"] = headers.REVALIDATE
    return response


def _answer(data: bytes, suffix: str, caching: str) -> Response:
    response = Response(data, content_type=SERVED[suffix])
    response.headers["Cache-Control"] = caching
    response.headers["Content-Security-Policy"] = headers.IMAGE_POLICY
    # Feed readers and web mail show an article's images on pages of their own.
    response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    return response


def _file(folder: Path, name: str, kinds: dict[str, str]) -> Path | None:
    joined = safe_join(str(folder), name)
    hidden = any(part.startswith(".") for part in name.split("/"))
    if joined is None or hidden or Path(joined).suffix.lower() not in kinds:
        return None
    found = Path(joined).resolve()
    # A link inside the folder must not lead out of it.
    return found if found.is_file() and found.is_relative_to(folder.resolve()) else None
