"""What tells one renderer from another: a text is rendered again when it would be rendered otherwise.

It stands by itself, since whoever only asks whether anything has changed needs no renderer for that.
"""

import hashlib
from functools import cache
from importlib.metadata import version
from pathlib import Path

from blog.language import CATALOGUES

#: Raised whenever the same file would be rendered differently, so that the next sync renders it again.
RENDER_VERSION = "7"

_LIBRARIES = ("latex2mathml", "Markdown", "nh3", "pillow", "Pygments")


@cache
def renderer() -> str:
    """Return what tells this renderer from every other: its own code, and the libraries it stands on."""
    code = hashlib.sha256(RENDER_VERSION.encode())
    for path in sorted(Path(__file__).parent.glob("*.py")):
        code.update(path.read_bytes())
    for path in sorted(CATALOGUES.glob("*/LC_MESSAGES/*.mo")):
        code.update(path.read_bytes())
    return repr((code.hexdigest(), [version(name) for name in _LIBRARIES]))
