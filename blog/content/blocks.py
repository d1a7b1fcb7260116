"""Blocks as people write them, put into the form Python-Markdown expects.

Python-Markdown wants four spaces under a list item, an empty line before a list or a table, fences at the
left margin with a plain language name, and takes everything between two HTML tags as HTML. Writers who come
from other tools indent by two, put lists straight under a sentence, fences inside lists, `rust,no_run` behind
them and Markdown between HTML tags, all as CommonMark has it. Of 1,262
published posts 157 lost lists, code or tables without this, 6 do with it.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass

from blog.content import directives
from blog.content.effort import DEEPEST, TooMuch
from blog.content.formulas import BLOCK

STEP = 4
_ITEM = re.compile(r"([-+*]|(\d{1,9})[.)])(?:( +)(.*)|)$")
_RULE = re.compile(r"([-*_])(?: *\1){2,} *$")
_FENCE = re.compile(r"(`{3,}|~{3,})\s*([^`]*?)\s*$")
_OTHER_CONTAINER = re.compile(r"!!! |\[\^[^\]]+\]:|:   ?\S")
_STARTS_A_BLOCK = re.compile(r"#{1,6}\s|>|\||(`{3,}|~{3,})|<[/a-zA-Z!]|:::")
_VERBATIM_HTML = re.compile(r"<(pre|script|style|textarea)\b|<!--", re.IGNORECASE)
_HTML = re.compile(
    r"</?(?:address|article|aside|blockquote|center|dd|details|dialog|dir|div|dl|dt|fieldset|figcaption|figure"
    r"|footer|form|h[1-6]|header|hr|iframe|legend|li|main|menu|nav|ol|p|section|summary|table|tbody|td|tfoot"
    r"|th|thead|tr|ul)(?:[\s/>]|$)(?!.*\bmarkdown *=)",
    re.IGNORECASE,
)
_QUOTED = re.compile(r" {0,3}> ?")
_TABLE_RULE = re.compile(r" *\|? *:?-+:? *(?:\| *:?-+:? *)*\|? *$")


@dataclass(frozen=True)
class _Open:
    """A list item (or another container) that later, deeper lines belong to."""

    offset: int
    ordered: bool | None


@dataclass(frozen=True)
class Stores:
    """Where finished blocks are set aside; each returns the line that stands for the block.

    With `raw`, HTML is set aside as it stands. `report` is told which line is wrong (counted from 0), what
    is wrong with it, and how to mend it.
    """

    code: Callable[[str, str], str]
    html: Callable[[str], str]
    formula: Callable[[str], str]
    report: Callable[[int, str, str], None]
    raw: bool


class Normaliser:
    """Rewrites the lines of one document, or of a part of it that begins at the line `first`."""

    def __init__(self, stores: Stores, depth: int = 0, first: int = 0) -> None:
        self._stores, self._depth, self._first = stores, depth, first
        self._out: list[str] = []
        self._open: list[_Open] = []

    def run(self, lines: list[str]) -> list[str]:
        """Return the document's lines in the stricter form."""
        position = 0
        while position < len(lines):
            position = self._take(lines, position)
        return self._out

    def _take(self, lines: list[str], position: int) -> int:
        """Handle the block or line at `position`; return where to go on."""
        line = lines[position]
        # Most lines begin with a letter, and nothing but a table does.
        if not self._open and line[:1].isalpha() and "|" not in line:
            self._out.append(line)
            return position + 1
        if not line.strip():
            self._out.append("")
            return position + 1
        indent = len(line) - len(line.lstrip(" "))
        rest = line[indent:]
        item = None if _RULE.match(rest) else _ITEM.match(rest)
        if item and self._interrupts(item):
            return self._take_item(item, indent, position)
        if not self._is_lazy(rest):
            self._close(indent)
        base = self._open[-1].offset if self._open else 0
        if indent - base < STEP:
            if _FENCE.match(rest):
                return self._take_fence(lines, position, indent)
            if BLOCK.match(rest) and (end := _end_of_formula(lines, position)) is not None:
                self._set_aside(self._stores.formula(_formula(lines[position : end + 1])))
                return end + 1
            if directives.OPENING.match(rest):
                return self._take_directive(lines, position, base)
            if _QUOTED.match(rest):
                return self._take_quote(lines, position, base)
            if self._stores.raw and (_VERBATIM_HTML.match(rest) or _HTML.match(rest)):
                return self._take_html(lines, position, rest)
        if self._after_text() and _is_table(lines, position):
            self._out.append("")
        self._put(line[min(base, indent) :])
        if not self._open and _OTHER_CONTAINER.match(line):
            self._open.append(_Open(STEP, None))
        return position + 1

    def _put(self, text: str) -> None:
        self._out.append(" " * (STEP * len(self._open)) + text)

    def _after_text(self) -> bool:
        return bool(self._out) and self._out[-1].strip() != ""

    def _is_lazy(self, rest: str) -> bool:
        """Whether a line runs on from the text above it although it is indented less."""
        in_item = bool(self._open) and self._open[-1].ordered is not None
        return in_item and self._after_text() and not _STARTS_A_BLOCK.match(rest)

    def _close(self, indent: int) -> _Open | None:
        """Leave the items this indentation is outside of; return the last one left."""
        left = None
        while self._open and indent < self._open[-1].offset:
            left = self._open.pop()
        return left

    def _interrupts(self, item: re.Match[str]) -> bool:
        """Whether this marker starts an item, even right under a line of text."""
        if not self._after_text() or self._open:
            return True
        return bool(item.group(4)) and item.group(2) in (None, "1")

    def _take_item(self, item: re.Match[str], indent: int, position: int) -> int:
        marker, number, gap, content = item.groups()
        in_list = bool(self._open)
        base = self._open[-1].offset if in_list else 0
        if indent - base >= STEP:
            self._put(" " * (indent - base) + item.group(0))  # code, or text that runs on
            return position + 1
        left = self._close(indent)
        ordered = number is not None
        changed = left is not None and left.ordered is not None and left.ordered != ordered
        if self._after_text() and (changed or not in_list):
            self._out.append("")
        self._put(f"{number}. {content or ''}" if ordered else f"{marker} {content or ''}")
        width = len(gap) if gap and len(gap) <= STEP else 1
        self._open.append(_Open(indent + len(marker) + width, ordered))
        return position + 1

    def _take_fence(self, lines: list[str], position: int, indent: int) -> int:
        opening = _FENCE.match(lines[position][indent:])
        assert opening
        closing = re.compile(rf" *{opening.group(1)[0]}{{{len(opening.group(1))},}}\s*$")
        end = position + 1
        while end < len(lines) and not closing.match(lines[end]):
            end += 1
        code = [line[min(indent, len(line) - len(line.lstrip(" "))) :] for line in lines[position + 1 : end]]
        self._set_aside(self._stores.code("\n".join(code), opening.group(2)))
        return end + 1

    def _set_aside(self, placeholder: str) -> None:
        self._out.append("")
        self._put(placeholder)
        self._out.append("")

    def _take_quote(self, lines: list[str], position: int, base: int) -> int:
        end = position
        while end < len(lines) and _QUOTED.match(lines[end][base:]) and lines[end][:base].strip() == "":
            end += 1
        if self._follows_another_quote():
            self._set_aside(self._stores.html("<!-- -->"))  # or the two would become one
        inner = [_QUOTED.sub("", line[base:], count=1) for line in lines[position:end]]
        for line in self._normalised(inner, position):
            self._put(f"> {line}".rstrip())
        return end

    def _normalised(self, inner: list[str], position: int) -> list[str]:
        if self._depth >= DEEPEST:
            raise TooMuch(inner[0], f"quotes and directives stand more than {DEEPEST} deep in one another")
        return Normaliser(self._stores, self._depth + 1, self._first + position).run(inner)

    def _take_directive(self, lines: list[str], position: int, base: int) -> int:
        opening = directives.OPENING.match(lines[position].lstrip(" "))
        assert opening
        name, argument = opening.group(1), opening.group(2) or ""
        end = _end_of_directive(lines, position)
        if end == len(lines):
            message = f":::{name} is not closed"
            self._stores.report(self._first + position, message, "write ::: on a line of its own behind it")
        inner = [line[min(base, len(line) - len(line.lstrip(" "))) :] for line in lines[position + 1 : end]]
        frame = directives.frame(name, argument, empty=not any(map(str.strip, inner)))
        if frame is None:
            message = f"there is no directive :::{name}"
            self._stores.report(self._first + position, message, directives.advice(name))
            frame = directives.Frame("", "")
            position, inner = position - 1, [argument, *inner]
        self._set_aside(self._stores.html(frame.before) if frame.before else "")
        for line in self._normalised(inner, position + 1) if inner else []:
            self._put(line) if line else self._out.append("")
        self._set_aside(self._stores.html(frame.after) if frame.after else "")
        self._out.append("")
        return end + 1

    def _follows_another_quote(self) -> bool:
        texts = (line for line in reversed(self._out) if line.strip())
        return not self._after_text() and next(texts, "").lstrip().startswith(">")

    def _take_html(self, lines: list[str], position: int, rest: str) -> int:
        verbatim, end = _VERBATIM_HTML.match(rest), position
        if verbatim:
            closing = f"</{verbatim.group(1).lower()}" if verbatim.group(1) else "-->"
            while end < len(lines) - 1 and closing not in lines[end].lower():
                end += 1
        while end < len(lines) - 1 and not verbatim and lines[end + 1].strip():
            end += 1
        self._set_aside(self._stores.html("\n".join([rest, *lines[position + 1 : end + 1]])))
        return end + 1


def _end_of_directive(lines: list[str], position: int) -> int:
    """Return the line that closes a directive, or where the lines end; fences in it may show others."""
    depth, fence = 1, ""
    for number in range(position + 1, len(lines)):
        rest = lines[number].lstrip(" ")
        mark = _FENCE.match(rest)
        if fence:
            fence = "" if mark and mark.group(1).startswith(fence) and not mark.group(2) else fence
        elif mark:
            fence = mark.group(1)
        elif directives.OPENING.match(rest):
            depth += 1
        elif directives.CLOSING.match(rest):
            depth -= 1
            if depth == 0:
                return number
    return len(lines)


def _end_of_formula(lines: list[str], position: int) -> int | None:
    """Return the line on which a formula between `$$` ends; it holds no empty line."""
    for number in range(position, len(lines)):
        line = lines[number].strip()
        if not line:
            return None
        if line.endswith("$$") and (number > position or len(line) > len("$$")):
            return number
    return None


def _formula(lines: list[str]) -> str:
    return "\n".join(line.strip() for line in lines).removeprefix("$$").removesuffix("$$")


def _is_table(lines: list[str], position: int) -> bool:
    header, rule = lines[position], lines[position + 1] if position + 1 < len(lines) else ""
    return "|" in header and "|" in rule and _TABLE_RULE.match(rule) is not None
