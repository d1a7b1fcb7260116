"""The images that lie beside the articles."""

from pathlib import Path

from flask import Blueprint, Response, abort
from werkzeug.security import safe_join

from blog.web import headers
from blog.web.context import services
from blog.web.guards import public

KINDS = {
    ".avif": "image/avif",
    ".gif": "image/gif",
    ".jpeg": "image/jpeg",
    ".jpg": "image/jpeg",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".webp": "image/webp",
}

blueprint = Blueprint("media", __name__)


@blueprint.get("/media/<path:name>")
@public
def image(name: str) -> Response:
    """Serve an image of the content folder; nothing else in that folder can be had."""
    found = _image(services().settings.content_dir, name)
    if found is None:
        abort(404)
    # Read whole, so that the ETag comes from the bytes and is the same on every host.
    response = Response(found.read_bytes(), mimetype=KINDS[found.suffix.lower()])
    response.headers["Cache-Control"] = headers.REVALIDATE
    response.headers["Content-Security-Policy"] = headers.IMAGE_POLICY
    # Feed readers and web mail show an article's images on pages of their own.
    response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    return response


def _image(folder: Path, name: str) -> Path | None:
    joined = safe_join(str(folder), name)
    hidden = any(part.startswith(".") for part in name.split("/"))
    if joined is None or hidden or Path(joined).suffix.lower() not in KINDS:
        return None
    found = Path(joined).resolve()
    # A link inside the folder must not lead out of it.
    return found if found.is_file() and found.is_relative_to(folder.resolve()) else None
