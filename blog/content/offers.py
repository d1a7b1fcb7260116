"""Which files beside the texts the site hands out, and as what: pictures, films, sound and downloads."""

import hashlib
import os
from functools import lru_cache
from pathlib import Path

from blog.content.references import MARKDOWN

PICTURES = {
    ".avif": "image/avif",
    ".gif": "image/gif",
    ".jpeg": "image/jpeg",
    ".jpg": "image/jpeg",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".webp": "image/webp",
}
STREAMS = {
    ".m4v": "video/mp4",
    ".mp3": "audio/mpeg",
    ".mp4": "video/mp4",
    ".ogv": "video/ogg",
    ".webm": "video/webm",
}
TEXTS = {
    ".csv": "text/csv; charset=utf-8",
    ".txt": "text/plain; charset=utf-8",
    ".vtt": "text/vtt; charset=utf-8",
}
DOCUMENTS = {".epub": "application/epub+zip", ".pdf": "application/pdf", ".zip": "application/zip"}
KINDS = PICTURES | STREAMS | TEXTS | DOCUMENTS

#: Folders at the top of the content folder whose downloads are meant for readers; elsewhere only a bundle's
#: are, so that a list of people that somebody keeps beside `site.toml` stays there.
_OPEN = {"articles", "pages", "static", "public", "assets"}


def offered(content_dir: Path, name: str, kinds: dict[str, str] = KINDS) -> Path | None:
    """Return the file a name in the content folder stands for, if readers can have it."""
    found = inside(content_dir, name, kinds)
    if found is None or found.suffix.lower() in PICTURES:
        return found
    root = content_dir.resolve()
    return found if _is_open(root, found.relative_to(root)) else None


def inside(content_dir: Path, name: str, kinds: dict[str, str]) -> Path | None:
    """Return the file a name stands for, if it is of these kinds, not hidden, and within the folder."""
    root = content_dir.resolve()
    try:
        found = (root / name).resolve()
        # A link in the folder must not lead out of it, nor to what could not be asked for by its own name.
        sound = found.is_relative_to(root) and found.is_file() and os.access(found, os.R_OK)
    except (OSError, ValueError, RuntimeError):  # a name no system can hold, or a circle of links
        return None
    if not sound or not {found.suffix.lower(), Path(name).suffix.lower()} <= set(kinds):
        return None
    parts = (*Path(name).parts, *found.relative_to(root).parts)
    return None if any(part.startswith(".") for part in parts) else found


def _is_open(root: Path, place: Path) -> bool:
    if place.parts[0] in _OPEN and len(place.parts) > 1:
        return True
    folders = [root / parent for parent in place.parents if parent.parts]
    return any((folder / f"index{ending}").is_file() for folder in folders for ending in MARKDOWN)


def fingerprint(path: Path) -> str:
    """Return the hash of a file's bytes, the same on every host; read once for each state of the file."""
    status = path.stat()
    return _fingerprint(path, status.st_mtime_ns, status.st_ctime_ns, status.st_size)


@lru_cache(4_096)
def _fingerprint(path: Path, _modified: int, _changed: int, _size: int) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
