"""Files that are kept to save time: each is there whole or not at all, and can be deleted at any time."""

import os
from contextlib import suppress
from pathlib import Path

#: A file that changed less than this ago may change again within one tick of its file system's clock (FAT's
#: is two seconds), and look the same.
SETTLED_NS = 2_000_000_000


def write_whole(path: Path, data: bytes | memoryview) -> bool:
    """Write a file beside and put it in its place; return whether that could be done."""
    beside = path.with_name(f"{path.name}.{os.getpid()}.new")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        beside.write_bytes(data)
        beside.replace(path)
    except OSError:
        with suppress(OSError):
            beside.unlink()
        return False
    return True
