"""What kept renderings say, read without the renderer, which is most of such a process's memory."""

import json
from pathlib import Path

from blog.content.store import Store

FILE = "renderings.db"


def store_in(cache_dir: Path) -> Store:
    """Return where the renderings of a cache folder are."""
    return Store(cache_dir / FILE)


def said(store: Store, name: str) -> tuple[list[str], str] | None:
    """Return the headings and the text of a rendering, unless it is lost."""
    data = store.get(name)
    if data is None:
        return None
    rendered = json.loads(data)["rendered"]
    return [entry["title"] for entry in rendered["headings"]], rendered["text"]
