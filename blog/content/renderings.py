"""Renderings kept from load to load, so that a text is rendered again only when something has changed.

A text reads as it does because of its own bytes, of the renderer, and of what the shelf answered when it was
asked where links and images lead. Kept with these questions and answers, a rendering is good for as long as
the shelf still answers every one of them the same: when a link's target moves, only the texts that link to it
are rendered again.
"""

import hashlib
import json
import shutil
from collections.abc import Collection
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from blog.content import witness
from blog.content.markup import Facts, Rendered, Text
from blog.content.references import Shelf
from blog.content.renderer import renderer
from blog.content.said import store_in
from blog.content.values import Problem, Prose
from blog.content.witness import Made, Notes

#: Where each had a file of its own, up to November 2026.
_FORMER = "renderings"


@dataclass(frozen=True)
class Kept:
    """What can be known of a rendering without opening it; `digest` is that of its prose."""

    name: str
    digest: str
    facts: Facts
    notes: Notes


class Renderings:
    """The renderings of earlier loads; without a folder, and where it cannot be written, held in memory."""

    def __init__(self, cache_dir: Path | None) -> None:
        self._folder = cache_dir
        self._store = store_in(cache_dir) if cache_dir else None
        self._held: dict[str, Rendered] = {}

    def find(self, name: str) -> Kept | None:
        """Return what is known of a rendering that is kept."""
        made = self._read(name)
        return _known(name, made, made.outcome) if made and isinstance(made.outcome, Rendered) else None

    def make(self, text: Text, shelf: Shelf) -> Kept | Made:
        """Render a text and keep it; return all of it where it cannot be kept."""
        made = witness.make(text, shelf)
        if isinstance(made.outcome, Problem):
            return made
        name = name_of(text)
        return _known(name, made, made.outcome) if self._write(name, made, made.outcome) else made

    def hold(self, name: str, made: Made, rendered: Rendered) -> Kept:
        """Keep a rendering in memory."""
        self._held[name] = rendered
        return _known(name, made, rendered)

    def prose(self, kept: Kept) -> Prose | None:
        """Return the long part of a rendering, unless it is lost."""
        if kept.name in self._held:
            return self._held[kept.name].prose
        made = self._read(kept.name)
        if made is None or not isinstance(made.outcome, Rendered):
            return None
        return made.outcome.prose if _digest(made.outcome) == kept.digest else None

    def drop_unused(self, used: Collection[str]) -> None:
        """Forget what no text of this load is made of."""
        self._held = {name: rendered for name, rendered in self._held.items() if name in used}
        if self._folder is None or self._store is None:
            return
        self._store.keep_only(used)
        shutil.rmtree(self._folder / _FORMER, ignore_errors=True)

    def _read(self, name: str) -> Made | None:
        data = self._store.get(name) if self._store else None
        return _made(json.loads(data)) if data else None

    def _write(self, name: str, made: Made, rendered: Rendered) -> bool:
        if self._store is None:
            return False
        values = vars(rendered) | {"problems": [asdict(problem) for problem in rendered.problems]}
        data = json.dumps({"rendered": values, "notes": made.notes}).encode()
        # Whatever JSON cannot give back as it was (a tuple, say) would make two loads differ; a text it can.
        others = [made.notes, *(value for value in values.values() if not isinstance(value, str))]
        return json.loads(json.dumps(others)) == others and self._store.put(name, data)


def name_of(text: Text) -> str:
    """Return the name under which the rendering of a text is kept."""
    parts = (renderer(), text.source, text.first_line, text.title, text.raw_html, text.language)
    named = hashlib.sha256(repr(parts).encode())
    named.update(text.body.encode())
    return named.hexdigest() + ".json"


def _known(name: str, made: Made, rendered: Rendered) -> Kept:
    return Kept(name, _digest(rendered), rendered.facts, made.notes)


def _digest(rendered: Rendered) -> str:
    said = hashlib.sha256(json.dumps(rendered.headings).encode())
    for part in (rendered.html, rendered.text):
        data = part.encode()
        said.update(b"%d:" % len(data))
        said.update(data)
    return said.hexdigest()


def _made(values: dict[str, Any]) -> Made:
    rendered = values["rendered"]
    rendered["problems"] = [Problem(**problem) for problem in rendered["problems"]]
    return Made(Rendered(**rendered), values["notes"])
