"""The last comparison of all texts, kept in a file, so that one changed article does not mean comparing all.

The file can be deleted at any time. It belongs to one state of one database: what it says of an article
counts only while the article's fingerprint is the same.
"""

import hashlib
import io
import json
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any
from zipfile import BadZipFile, ZipFile

import numpy as np
from numpy.typing import NDArray

from blog.articles.space import Space
from blog.articles.vectors import Near, Rarity, Vectors
from blog.content.keeping import write_whole

FILE = "related.npz"
_DAMAGED = (OSError, ValueError, KeyError, TypeError, EOFError, BadZipFile)


@dataclass(frozen=True)
class Remembered:
    """A comparison, and which article with which fingerprint stands at each of its numbers."""

    articles: dict[int, str]
    space: Space


def recall(folder: Path | None) -> Remembered | None:
    """Return the comparison kept in a folder, or None when there is none that this code can use."""
    if folder is None:
        return None
    try:
        with np.load(io.BytesIO((folder / FILE).read_bytes()), allow_pickle=False) as arrays:
            return _from_arrays(arrays)
    except _DAMAGED:
        return None


def remember(folder: Path | None, articles: Sequence[tuple[int, str]] | None, space: Space) -> None:
    """Keep a comparison; where that cannot be done, the next one takes longer, and that is all.

    Without articles, it is of use only to who will `adopt` it.
    """
    if folder is None:
        return
    words = {
        "code": _code(),
        "rarity": list(space.rarity.weights.items()),
        "heaviest": space.rarity.heaviest,
        "forms": list(space.forms),
        "mended": space.mended,
    }
    ends = np.cumsum([len(near.texts) for near in space.near], dtype=np.int64)
    arrays: dict[str, Any] = {
        "words": _packed(words),
        "starts": space.vectors.starts,
        "terms": space.vectors.terms,
        "weights": space.vectors.weights,
        "near_ends": ends,
        "near_texts": np.concatenate([near.texts for near in space.near] or [np.empty(0, np.int32)]),
        "near_cosines": np.concatenate([near.cosines for near in space.near] or [np.empty(0, np.float32)]),
    }
    if articles is not None:
        arrays["articles"] = _packed(list(articles))
    file = io.BytesIO()
    np.savez(file, **arrays)
    write_whole(folder / FILE, file.getbuffer())


def adopt(made: Path, folder: Path | None, articles: Sequence[tuple[int, str]]) -> None:
    """Keep a comparison that was made in another folder, before its articles were known, as that of these."""
    if folder is None:
        return
    with suppress(OSError, BadZipFile):
        with ZipFile(made / FILE, "a") as arrays, arrays.open("articles.npy", "w") as file:
            np.save(file, _packed(list(articles)))
        write_whole(folder / FILE, (made / FILE).read_bytes())


def _packed(values: Any) -> NDArray[np.uint8]:
    return np.frombuffer(json.dumps(values).encode(), dtype=np.uint8)


def _from_arrays(arrays: Any) -> Remembered | None:
    words = json.loads(arrays["words"].tobytes())
    if words["code"] != _code():
        return None
    ends = arrays["near_ends"].tolist()
    texts, cosines = arrays["near_texts"], arrays["near_cosines"]
    near = [
        Near(texts[start:end], cosines[start:end]) for start, end in zip([0, *ends[:-1]], ends, strict=True)
    ]
    rarity = Rarity(dict(words["rarity"]), words["heaviest"])
    vectors = Vectors(arrays["starts"], arrays["terms"], arrays["weights"])
    space = Space(rarity, vectors, near, words["forms"], words["mended"])
    return Remembered(dict(json.loads(arrays["articles"].tobytes())), space)


@cache
def _code() -> str:
    """Return what tells this way of comparing from every other."""
    folder = Path(__file__).parent
    code = b"".join((folder / name).read_bytes() for name in ("terms.py", "vectors.py", "space.py"))
    return hashlib.sha256(code).hexdigest()
