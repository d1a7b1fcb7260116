"""The publisher's own fonts in place of ours, under addresses that say which bytes they stand for."""

import hashlib
from urllib.parse import quote

from flask import Blueprint, Response, abort

from blog.content import fonts
from blog.content.values import Site
from blog.theme import Face
from blog.web import headers, static_files
from blog.web.context import services
from blog.web.guards import public, unkept
from blog.web.interface import current_site

blueprint = Blueprint("fonts", __name__)


@blueprint.get("/fonts/<version>/<path:name>")
@public
@unkept
def file(version: str, name: str) -> Response:
    """Serve a font that `site.toml` names, and nothing else."""
    data = _read(name) if name in current_site().fonts.values() else None
    if data is None:
        abort(404)
    response = Response(data, mimetype="font/woff2")
    current = version == _version(data)
    response.headers["Cache-Control"] = headers.IMMUTABLE if current else static_files.BRIEF
    return response


def faces(site: Site) -> tuple[Face, ...]:
    """Return the fonts that pages are set in before ours; one that is missing or broken is left out."""
    found = ((use, name, _read(name)) for use, name in site.fonts.items())
    return tuple(
        Face(use, f"/fonts/{_version(data)}/{quote(name)}", fonts.has_weights(data))
        for use, name, data in found
        if data
    )


def _read(name: str) -> bytes | None:
    return fonts.read(services().settings.content_dir, name)


def _version(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:12]
