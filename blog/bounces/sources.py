"""Messages in files: single ones, mbox, maildir, a folder of `.eml`, or standard input."""

import mailbox
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from blog.bounces.reading import LARGEST
from blog.errors import UsageError


def messages(path: Path) -> Iterator[bytes]:
    """Yield the messages at a path, each cut to what is read; raise `UsageError` for no such path."""
    try:
        if not path.is_dir():
            yield from _of_file(path)
        elif (path / "cur").is_dir() and (path / "new").is_dir():
            yield from _of_box(mailbox.Maildir(path, factory=None, create=False))
        else:
            for each in sorted(path.glob("*.eml")):
                yield from _of_file(each)
    except OSError as error:
        raise UsageError(f"{path}: cannot be read: {error.strerror or type(error).__name__}") from None


def of_stream(stream: BinaryIO) -> Iterator[bytes]:
    """Yield the messages on standard input: one, or an mbox."""
    start = stream.read(LARGEST)
    if not start.startswith(b"From "):
        yield start
        return
    with tempfile.NamedTemporaryFile(prefix="blog-mbox-") as file:
        while start:
            file.write(start)
            start = stream.read(LARGEST)
        file.flush()
        yield from _of_file(Path(file.name))


def _of_file(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        start = file.read(LARGEST)
    if start.startswith(b"From "):
        yield from _of_box(mailbox.mbox(path, factory=None, create=False))
    else:
        yield start


def _of_box(box: mailbox.Mailbox[mailbox.Message]) -> Iterator[bytes]:
    try:
        for key in box.iterkeys():
            with box.get_file(key) as file:
                yield file.read(LARGEST)
    finally:
        box.close()
