"""Names for addresses: lower-case letters and digits joined by single hyphens."""

import hashlib
import re
import unicodedata
from functools import lru_cache
from urllib.parse import unquote, urlsplit

PATTERN = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
LONGEST = 100
LONGEST_PATH = 500

# Letters that Unicode does not take apart into a base letter and an accent.
_LETTERS = str.maketrans(
    {"ß": "ss", "æ": "ae", "œ": "oe", "ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "ı": "i"}
)
_DATE_PREFIX = re.compile(r"\d{4}-\d{1,2}-\d{1,2}[-_ ]?")


@lru_cache(10_000)  # the same topics and authors stand in thousands of headers
def slugify(text: str) -> str:
    """Return `text` as a slug; empty when it has no letter or digit that a slug can hold."""
    plain = text.casefold().translate(_LETTERS).replace("c++", "cpp").replace("c#", "c-sharp")
    ascii_only = unicodedata.normalize("NFKD", plain).encode("ascii", "ignore").decode()
    joined = re.sub(r"[^a-z0-9]+", "-", ascii_only.replace("'", "")).strip("-")
    return shortened(joined)


def slug_for(text: str) -> str:
    """Return `text` as a slug that is never empty: names in other scripts get a stable short code."""
    return slugify(text) or f"x{hashlib.sha256(text.encode('utf-8', 'replace')).hexdigest()[:8]}"


def shortened(slug: str, limit: int = LONGEST) -> str:
    """Cut a slug to `limit` characters, between two words where that is possible."""
    if len(slug) <= limit:
        return slug
    head, _, _ = slug[: limit + 1].rpartition("-")
    return (head or slug[:limit]).strip("-")


def is_slug(text: str) -> bool:
    """Whether `text` can be the last part of an address as it stands."""
    return len(text) <= LONGEST and PATTERN.fullmatch(text) is not None


def without_date(stem: str) -> str:
    """Return a file's stem without the date some tools put in front of it."""
    return _DATE_PREFIX.sub("", stem, count=1) or stem


def old_path(address: str) -> str | None:
    """Return an address this site once had as the path it is kept under, or None when it is not one."""
    try:
        path = unquote(urlsplit(address.strip()).path)
    except ValueError:
        return None
    parts = [part for part in path.split("/") if part not in ("", ".")]
    kept = "/" + "/".join(parts)
    sound = parts and ".." not in parts and len(kept) <= LONGEST_PATH and kept.isprintable()
    return kept if sound else None
