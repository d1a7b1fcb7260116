"""A content file taken apart: the header, in any of the dialects people bring along, and the body."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from blog.content.headers import Parsed, parse_json, parse_leading_json, parse_toml, parse_yaml, twice
from blog.content.problems import Malformed
from blog.content.values import Problem

LARGEST_FILE = 2 * 1024 * 1024
LARGEST_HEADER = 64 * 1024

_PELICAN_LINE = re.compile(r"([A-Za-z][A-Za-z0-9_-]*):(?:[ \t]+(.*))?")
_PELICAN_KEYS = {"title", "date", "tags", "category", "author", "authors", "status"}
#: The statements an MDX file starts with; each goes on to the next empty line.
_MODULE = re.compile(r"\s*(?:import|export)\b(?:.+\n?)*")
_PelicanParts = tuple[dict[str, str], dict[str, int], list[Problem]]
_KEY_LINE = re.compile(r"([\s{,]*)[\"']?([A-Za-z_][\w.-]*)[\"']?\s*[:=]")
# No database takes a zero byte or half a surrogate; no XML feed may hold the other control characters.
_UNSTORABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufffe\uffff]")
#: The same in UTF-8, which has no surrogates: single bytes, and what the two at the end begin with.
_CONTROL, _BEYOND = bytes([*range(9), 11, 12, *range(14, 32), 127]), b"\xef\xbf"


@dataclass(frozen=True)
class Header:
    """A file's keys, the line each is on, and the body with the line it starts on."""

    body: str
    body_line: int = 1
    present: bool = False
    fields: dict[str, Any] = field(default_factory=dict)
    lines: dict[str, int] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    def line_of(self, *keys: str) -> int | None:
        """Return the line of the first of these keys that the header has, however it spells it."""
        found = {re.sub(r"[-_ ]", "", key).lower(): line for key, line in self.lines.items()}
        return next((found[key] for key in keys if key in found), 1 if self.present else None)


def read(raw: bytes, file: str) -> Header:
    """Take a content file apart, or raise `Malformed`."""
    header = _read(_decoded(raw, file), file)
    return _without_modules(header) if file.lower().endswith(".mdx") else header


def _read(text: str, file: str) -> Header:
    first, _, rest = text.partition("\n")
    if first.rstrip() in (*_FENCES, "---js"):
        return _fenced(text, first.rstrip(), rest, file)
    if re.match(r'\{\s*["}]', text):  # and not `{% … %}`, which is prose
        return _json_first(text, file)
    return _pelican(text, file) or Header(text)


def _without_modules(header: Header) -> Header:
    body, line = header.body, header.body_line
    while module := _MODULE.match(body):
        body, line = body[module.end() :], line + module.group().count("\n")
    return replace(header, body=body, body_line=line)


def _decoded(raw: bytes, file: str) -> str:
    if len(raw) > LARGEST_FILE:
        hint = f"at most {LARGEST_FILE:,} bytes; split it, or keep data in a file beside it"
        raise Malformed(file, None, f"the file is too large: {len(raw):,} bytes", hint)
    try:
        text = raw.decode("utf-8-sig").replace("\r\n", "\n").replace("\r", "\n")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        message = f"byte 0x{raw[error.start]:02x} is not UTF-8"
        raise Malformed(file, line, message, "save the file as UTF-8 in your editor") from None
    if "\x00" in text:
        line = text.count("\n", 0, text.index("\x00")) + 1
        raise Malformed(file, line, "a zero byte: this is not text", "save the file as plain UTF-8 text")
    return storable(text) if _may_hold_unstorable(raw) else text


def _may_hold_unstorable(raw: bytes) -> bool:
    """Whether a text must be looked through, which takes longer than asking this."""
    return len(raw.translate(None, _CONTROL)) < len(raw) or _BEYOND in raw


def storable(text: str) -> str:
    """Return `text` with the characters replaced that no database or feed can hold."""
    return text if text.isprintable() else _UNSTORABLE.sub("�", text)


def _check_size(header: str, file: str) -> None:
    if len(header) > LARGEST_HEADER:
        hint = f"at most {LARGEST_HEADER:,} characters; is its closing line missing?"
        raise Malformed(file, 1, f"the header is too large: {len(header):,} characters", hint)


def _fenced(text: str, mark: str, rest: str, file: str) -> Header:
    if mark == "---js":
        hint = "write the keys as YAML between two lines ---"
        raise Malformed(file, 1, "the header is a program, which is never run", hint)
    closing, parse, like_a_header = _FENCES[mark]
    end = re.compile(rf"^(?:{closing})[ \t]*$", re.MULTILINE).search(rest)
    if end is None and like_a_header.match(rest.lstrip("\n")):
        hint = f"put a line {mark} under the last key"
        raise Malformed(file, 1, f"the header opened with {mark} is never closed", hint)
    if end is None:
        return Header(text)  # a horizontal rule
    header = rest[: end.start()]
    _check_size(header, file)
    fields, problems = parse(header, file)
    body = rest[end.end() :].removeprefix("\n")
    return Header(body, header.count("\n") + 3, True, _clean(fields), _key_lines(header, 2), problems)


def _json_first(text: str, file: str) -> Header:
    fields, end = parse_leading_json(text, file)
    _check_size(text[:end], file)
    body = text[end:].lstrip(" \t").removeprefix("\n")
    line = text.count("\n", 0, len(text) - len(body)) + 1
    return Header(body, line, True, _clean(fields), _key_lines(text[:end], 1))


def _pelican(text: str, file: str) -> Header | None:
    block, _, body = text.partition("\n\n")
    rows = block.split("\n")
    first = _PELICAN_LINE.fullmatch(rows[0])
    keys = {found.group(1).lower() for row in rows if (found := _PELICAN_LINE.fullmatch(row))}
    if first is None or not keys & _PELICAN_KEYS:
        return None
    _check_size(block, file)
    fields, lines, problems = _pelican_fields(rows, file)
    return Header(body, len(rows) + 2, True, _clean(fields), lines, problems)


def _pelican_fields(rows: list[str], file: str) -> _PelicanParts:
    fields: dict[str, str] = {}
    lines: dict[str, int] = {}
    problems: list[Problem] = []
    last = ""
    for number, row in enumerate(rows, start=1):
        if found := _PELICAN_LINE.fullmatch(row):
            last = found.group(1)
            if last in fields:
                problems.append(twice(file, number, last))
            fields[last], lines[last] = (found.group(2) or "").strip(), number
        elif row.startswith(("    ", "\t")):
            fields[last] = f"{fields[last]} {row.strip()}".strip()
        elif row.strip():
            hint = "mend it, or leave an empty line between the header and the text"
            raise Malformed(file, number, "this header line is not `Key: value`", hint)
    return fields, lines, problems


def _key_lines(header: str, first: int) -> dict[str, int]:
    """Return where each key is written; the outermost one where a name occurs twice."""
    found: dict[str, tuple[int, int]] = {}
    for number, row in enumerate(header.split("\n"), start=first):
        key = _KEY_LINE.match(row)
        if key and len(key.group(1)) < found.get(key.group(2), (LARGEST_HEADER, 0))[0]:
            found[key.group(2)] = (len(key.group(1)), number)
    return {key: number for key, (_, number) in found.items()}


def _clean(value: Any) -> Any:
    if isinstance(value, str):
        return storable(value)
    if isinstance(value, dict):
        return {_clean(str(key)): _clean(item) for key, item in value.items()}
    return [_clean(item) for item in value] if isinstance(value, list) else value


#: Opening line → what closes it, how the inside is parsed, and what an unclosed one starts with.
_FENCES: dict[str, tuple[str, Callable[[str, str], Parsed], re.Pattern[str]]] = {
    "---": (r"---|\.\.\.", parse_yaml, re.compile(r"[A-Za-z_][\w-]*:(\s|$)")),
    "+++": (r"\+\+\+", parse_toml, re.compile(r"[A-Za-z_][\w.-]*\s*=|\[")),
    ";;;": (";;;", parse_json, re.compile(r'[{"]')),
    "---yaml": ("---", parse_yaml, re.compile(r"[A-Za-z_][\w-]*:(\s|$)")),
    "---toml": ("---", parse_toml, re.compile(r"[A-Za-z_][\w.-]*\s*=|\[")),
    "---json": ("---", parse_json, re.compile(r'[{"]')),
}
