"""What a page shows, read before it is asked for: an export reads for fifty pages in a few statements."""

from collections.abc import Callable
from typing import Any, TypeVar, cast

from flask import request

Read = TypeVar("Read")

#: In the environ of a request, which no client can reach under a name such as this (PEP 3333).
KEY = "blog.ahead"


def given(read: Callable[[], Read]) -> Read:
    """Return what was read ahead for this request, or read it now."""
    environ: dict[str, Any] = request.environ
    return cast(Read, environ[KEY]) if KEY in environ else read()
