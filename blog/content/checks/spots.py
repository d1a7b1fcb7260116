"""Where in a Markdown file each link and image is written, so that a problem can name its line."""

import re
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass
from html import unescape

_FENCE = re.compile(r"[\s>]*(?:(?:[-+*]|\d{1,9}[.)])\s+)*(`{3,}|~{3,})\s*([^`]*?)\s*$")
_TICKS = re.compile(r"`+")
_ADDRESS = r"\(\s*(<[^<>\n]*>|[^\s()]*(?:\([^\s()]*\)[^\s()]*)*)"
_IMAGE = re.compile(rf"!\[([^\[\]]*)\](?:{_ADDRESS}|\[([^\[\]\n]*)\])")
_LINK = re.compile(rf"\]{_ADDRESS}")
_DEFINITION = re.compile(r"^ {0,3}\[(?!\^)[^\]\n]+\]:[ \t]*\n?[ \t]*<?([^\s>]+)", re.MULTILINE)
_TAG = re.compile(r"<(a|img)\b([^<>]*)>", re.IGNORECASE)
_ATTRIBUTE = re.compile(r"\b(href|src|alt)(?:\s*=\s*(\"[^\"]*\"|'[^']*'|[^\s\"'>]+))?", re.IGNORECASE)


@dataclass(frozen=True)
class Spot:
    """One address as it is written; an image is `described` when it has words for those who cannot see it."""

    line: int
    address: str
    image: bool = False
    described: bool = True


def spots(body: str, first_line: int = 1) -> list[Spot]:
    """Return every link and image of a text, in the order of lines; code and comments hold none."""
    prose = _without_comments(_without_code(body))
    breaks = [found.start() for found in re.finditer("\n", prose)]
    placed = [
        Spot(first_line + bisect_left(breaks, start), unescape(address.strip("<> ")), image, described)
        for start, address, image, described in (*_in_markdown(prose), *_in_html(prose))
    ]
    return sorted(placed, key=lambda spot: spot.line)


def _in_markdown(prose: str) -> Iterator[tuple[int, str, bool, bool]]:
    images = {found.end(1): found for found in _IMAGE.finditer(prose)}
    for found in images.values():
        yield found.start(), found[2] or found[3] or "", True, bool(found[1].strip())
    for found in _LINK.finditer(prose):
        if found.start() not in images:
            yield found.start(), found[1], False, True
    for found in _DEFINITION.finditer(prose):
        yield found.start(1), found[1], False, True


def _in_html(prose: str) -> Iterator[tuple[int, str, bool, bool]]:
    for found in _TAG.finditer(prose):
        given = {name.lower(): value.strip("\"'") for name, value in _ATTRIBUTE.findall(found[2])}
        if found[1].lower() == "a":
            yield found.start(), given.get("href", ""), False, True
        else:
            yield found.start(), given.get("src", ""), True, "alt" in given  # `alt=""` says: decoration


def _without_code(body: str) -> str:
    """Return the text with its code taken out, each line still in its place."""
    kept: list[str] = []
    fence = ""
    for line in body.split("\n"):
        mark = _FENCE.match(line)
        if fence:
            closes = mark is not None and mark[1].startswith(fence) and not mark[2]
            fence = "" if closes else fence
            kept.append("")
        elif mark:
            fence = mark[1]
            kept.append("")
        else:
            kept.append(_without_spans(line))
    return "\n".join(kept)


def _without_spans(line: str) -> str:
    runs = list(_TICKS.finditer(line))
    position = 0
    while position < len(runs):
        opening = runs[position]
        closing = next(
            (place for place in range(position + 1, len(runs)) if len(runs[place][0]) == len(opening[0])),
            None,
        )
        if closing is not None:
            start, end = opening.end(), runs[closing].start()
            line = line[:start] + " " * (end - start) + line[end:]
        position = position + 1 if closing is None else closing + 1
    return line


def _without_comments(text: str) -> str:
    kept: list[str] = []
    position = 0
    while (start := text.find("<!--", position)) >= 0:
        end = text.find("-->", start)
        if end < 0:
            break
        kept += [text[position:start], "\n" * text.count("\n", start, end)]
        position = end + 3
    return "".join([*kept, text[position:]])
