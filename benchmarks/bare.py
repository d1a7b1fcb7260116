"""The least that a page costs under the server of `blog serve`: a program that only holds answers.

`benchmarks.site` has it answer with our pages, header by header; what we take beyond it is our code.
"""

import json
import os
from collections.abc import Callable, Iterable
from functools import cache
from pathlib import Path
from typing import Any

from blog.web.kept_page import SAID_AGAIN

#: The folder with the answers, by name: `<name>.html` and, as JSON, the header lines in `<name>.json`.
FOLDER = "BARE_FOLDER"

Lines = list[tuple[str, str]]


@cache
def _answer(path: str) -> tuple[Lines, Lines, list[bytes]]:
    folder = Path(os.environ[FOLDER])
    lines = [(name, value) for name, value in json.loads((folder / f"{path}.json").read_text())]
    short = [line for line in lines if line[0].lower() in SAID_AGAIN]
    return lines, short, [(folder / f"{path}.html").read_bytes()]


def app(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """Answer any request with what is held for its path; "not modified" to who names any tag."""
    lines, short, body = _answer(environ["PATH_INFO"].strip("/"))
    if "HTTP_IF_NONE_MATCH" in environ:
        start_response("304 NOT MODIFIED", short.copy())
        return []
    start_response("200 OK", lines.copy())
    return body


def make() -> Callable[..., Iterable[bytes]]:
    """Return the program."""
    return app
