"""The files that lie beside the articles, and the smaller copies of images that pages offer."""

import hashlib

from flask import Blueprint, Response, abort, send_file
from werkzeug.security import safe_join

from blog.content import offers
from blog.site.keeping import kept
from blog.web import headers
from blog.web.context import services
from blog.web.guards import public, unkept

#: Room for the copies of some thousand photographs.
MOST_BYTES = 1024 * 1024 * 1024
#: An address without a version, or with an old one: who replaces an image is patient for a day.
ONE_DAY = "public, max-age=86400"
#: A browser's viewer of PDF does not open in a sandbox; a PDF has no script that could reach the site.
DOCUMENT_POLICY = "default-src 'self'; script-src 'none'; base-uri 'none'; frame-ancestors 'none'"
#: What a browser would only save anyway.
SAVED = {".epub", ".zip"}

blueprint = Blueprint("media", __name__)


@blueprint.get("/media/<path:name>")
@public
@unkept
def file(name: str) -> Response:
    """Serve a picture, film, sound or download; nothing else in the content folder can be had."""
    content_dir = services().settings.content_dir
    found = offers.offered(content_dir, name) if safe_join(str(content_dir), name) else None
    if found is None:
        abort(404)
    suffix = found.suffix.lower()
    if suffix in offers.PICTURES:
        # Read whole, so that the ETag comes from the bytes and is the same on every host.
        return _answer(found.read_bytes(), suffix, headers.REVALIDATE)
    # Sent piece by piece, or the part that is asked for (RFC 9110, section 14): a film is larger than memory.
    response = send_file(
        found,
        offers.KINDS[suffix],
        conditional=True,
        etag=offers.fingerprint(found),
        as_attachment=suffix in SAVED,
    )
    response.headers["Content-Type"] = offers.KINDS[suffix]
    return _as_media(response, suffix, headers.REVALIDATE)


@blueprint.get("/pictures/<int:width>/<path:name>")
@public
@unkept
def copy(width: int, name: str) -> Response:
    """Serve a smaller copy of an image, made on its first request; only those that pages list are made."""
    return _copy(width, name, None)


@blueprint.get("/pictures/<int:width>-<version>/<path:name>")
@public
@unkept
def versioned_copy(width: int, version: str, name: str) -> Response:
    """Serve the same under an address that says which bytes it was made from, and may be kept for good."""
    return _copy(width, name, version)


def _copy(width: int, name: str, version: str | None) -> Response:
    from blog.content import variants  # with it comes Pillow, and a site without photographs needs none

    content_dir = services().settings.content_dir
    name, _, ending = name.rpartition(".")
    inside = safe_join(str(content_dir), name)
    found = offers.offered(content_dir, name, offers.PICTURES) if inside else None
    if found is None or not variants.offered(found, width, ending):
        abort(404)
    data = found.read_bytes()
    key = hashlib.sha256(f"{variants.COPY_VERSION} {width} {ending} ".encode() + data).hexdigest()
    path = services().settings.var_dir / "cache" / "images" / f"{key}.{ending}"
    made = kept(path, MOST_BYTES, lambda: variants.make(data, width, ending))
    if made is None:  # a damaged image is for its reader's browser to make the best of
        return _answer(data, found.suffix.lower(), headers.REVALIDATE)
    current = version == variants.version(hashlib.sha256(data).hexdigest())
    return _answer(made, f".{ending}", headers.IMMUTABLE if current else ONE_DAY)


def _answer(data: bytes, suffix: str, caching: str) -> Response:
    return _as_media(Response(data, content_type=offers.KINDS[suffix]), suffix, caching)


def _as_media(response: Response, suffix: str, caching: str) -> Response:
    response.headers["Cache-Control"] = caching
    policy = DOCUMENT_POLICY if suffix == ".pdf" else headers.IMAGE_POLICY
    response.headers["Content-Security-Policy"] = policy
    # Feed readers and web mail show an article's images, and play its sound, on pages of their own.
    if suffix in offers.PICTURES or suffix in offers.STREAMS:
        response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    return response
