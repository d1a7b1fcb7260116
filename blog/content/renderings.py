"""Renderings kept from load to load, so that a text is rendered again only when something has changed.

A text reads as it does because of its own bytes, of the renderer, and of what the shelf answered when it was
asked where links and images lead. Kept with these questions and answers, a rendering is good for as long as
the shelf still answers every one of them the same: when a link's target moves, only the texts that link to it
are rendered again.
"""

import hashlib
import json
import os
from contextlib import suppress
from dataclasses import asdict
from functools import cache
from importlib.metadata import version
from pathlib import Path

from blog.content.markup import RENDER_VERSION, Rendered, Text
from blog.content.references import Shelf
from blog.content.values import Problem
from blog.content.witness import Made, still_holds

_LIBRARIES = ("latex2mathml", "Markdown", "nh3", "pillow", "Pygments")


class Kept:
    """The renderings of earlier loads in a folder, a file each; it can be deleted at any time."""

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder / "renderings" if folder else None
        self._used: set[str] = set()

    def find(self, text: Text, shelf: Shelf) -> Made | None:
        """Return the rendering of a text, if it is kept and everything it was made from is as it was."""
        if self._folder is None:
            return None
        name = _name(text)
        self._used.add(name)
        try:
            made = _decoded((self._folder / name).read_bytes())
        except (OSError, ValueError, TypeError, KeyError):  # not there, or damaged: it is made anew
            return None
        return made if still_holds(made, shelf, text.source) else None

    def keep(self, text: Text, made: Made) -> None:
        """Keep a rendering; where that cannot be done, the next load takes longer, and that is all."""
        if self._folder is None or isinstance(made.outcome, Problem):
            return
        data = _encoded(made)
        if data is None:
            return
        path = self._folder / _name(text)
        beside = path.with_suffix(f".{os.getpid()}.new")
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            beside.write_bytes(data)
            beside.replace(path)
        except OSError:
            with suppress(OSError):
                beside.unlink()

    def drop_unused(self) -> None:
        """Forget what no text of this load has asked for."""
        if self._folder is None or not self._folder.is_dir():
            return
        for path in self._folder.iterdir():
            if path.name not in self._used:
                with suppress(OSError):  # another load may be tidying up too
                    path.unlink()


def _name(text: Text) -> str:
    parts = (renderer(), text.source, text.body, text.first_line, text.title, text.raw_html)
    return hashlib.sha256(repr(parts).encode()).hexdigest() + ".json"


@cache
def renderer() -> str:
    """Return what tells this renderer from every other: its own code, and the libraries it stands on."""
    code = hashlib.sha256(RENDER_VERSION.encode())
    for path in sorted(Path(__file__).parent.glob("*.py")):
        code.update(path.read_bytes())
    return repr((code.hexdigest(), [version(name) for name in _LIBRARIES]))


def _encoded(made: Made) -> bytes | None:
    data = json.dumps({"rendered": asdict(made.outcome), "notes": made.notes}).encode()
    whole = hashlib.sha256(data).hexdigest().encode() + b"\n" + data
    # Whatever JSON cannot give back as it was (a tuple, say) would make two loads differ.
    return whole if _decoded(whole) == made else None


def _decoded(whole: bytes) -> Made:
    check, _, data = whole.partition(b"\n")
    if hashlib.sha256(data).hexdigest().encode() != check:
        raise ValueError
    values = json.loads(data)
    rendered = values["rendered"]
    rendered["problems"] = [Problem(**problem) for problem in rendered["problems"]]
    return Made(Rendered(**rendered), values["notes"])
