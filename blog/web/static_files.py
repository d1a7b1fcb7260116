"""The site's own files (style, fonts, a script), read once, at an address that changes with any of them."""

import hashlib
import mimetypes
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from flask import Blueprint, Flask, Response, abort, current_app

from blog.web import headers
from blog.web.guards import public

FOLDER = Path(__file__).resolve().parent.parent / "static"
#: An address of another release: serve what we have, but only for a moment, so that a page from the old
#: release keeps its look while hosts are being replaced.
BRIEF = "public, max-age=60"

mimetypes.add_type("font/woff2", ".woff2")
mimetypes.add_type("text/javascript", ".js")

blueprint = Blueprint("static_files", __name__)


@dataclass(frozen=True)
class StaticTree:
    """The files by their path, and the digest of all of them."""

    files: dict[str, bytes]
    digest: str

    def address(self, name: str) -> str:
        """Return the address of a file; raise when there is no such file."""
        if name not in self.files:
            raise LookupError(f"no static file is named {name}: see {FOLDER}")
        return f"/static/{self.digest}/{name}"


def read(folder: Path = FOLDER) -> StaticTree:
    """Read every file under `folder`."""
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    files = {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}
    digest = hashlib.sha256()
    for name, body in files.items():
        digest.update(f"{name}\0{len(body)}\0".encode() + body)
    return StaticTree(files, digest.hexdigest()[:12])


def install(app: Flask) -> None:
    """Read the tree and keep it with `app`; templates get `static(name)`."""
    tree = read()
    app.extensions["static"] = tree
    app.jinja_env.globals["static"] = tree.address
    app.register_blueprint(blueprint)


@blueprint.get("/static/<digest>/<path:name>")
@public
def file(digest: str, name: str) -> Response:
    """Serve a file of the tree: a look-up by name, so no path can lead out of it."""
    tree = cast(StaticTree, current_app.extensions["static"])
    body = tree.files.get(name)
    if body is None:
        abort(404)
    kind = mimetypes.guess_type(name)[0] or "application/octet-stream"
    response = Response(body, mimetype=kind)
    response.headers["Cache-Control"] = headers.IMMUTABLE if digest == tree.digest else BRIEF
    return response
