"""What stands between the marks of a header, parsed: YAML, TOML or JSON to plain values.

YAML scalars stay the text that was written: `title: 1.10` is not a number and `title: No` not a boolean;
each key decides what it accepts (see `fields`).
"""

import json
import re
import tomllib
from contextlib import suppress
from typing import Any

import yaml

from blog.content.problems import Malformed
from blog.content.values import Problem

# A few hundred bytes of YAML aliases expand to billions of values; a real header holds some dozens.
MOST_VALUES = 5_000
DEEPEST = 20

# The C parser takes a 15th of the time, but nests on the C stack: what is long could nest deep, and is not
# for it. What it refuses is read again by the other, which is a little more lenient and explains itself
# better.
_QUICK = getattr(yaml, "CBaseLoader", yaml.BaseLoader)
_LONGEST_QUICK = 2_000

Parsed = tuple[dict[str, Any], list[Problem]]
_YAML_HINT = (
    "check quotes and indentation; a value with a colon, or starting with one of @`&*!|>%#, needs quotes"
)


def parse_yaml(header: str, file: str) -> Parsed:
    """Parse the lines between two `---`; the header starts on line 2."""
    try:
        node = _composed(header)
    except yaml.YAMLError as error:
        raise _yaml_problem(error, header, file) from None
    except (ValueError, OverflowError, RecursionError):
        raise Malformed(
            file, 2, "the YAML header is malformed: an escape or a nesting nobody can read", _YAML_HINT
        ) from None
    if node is None:
        return {}, []
    if not isinstance(node, yaml.MappingNode):
        raise Malformed(
            file, 2, "the header is not a list of keys", "write one `key: value` on each line, such as title:"
        )
    values = _YamlValues(file)
    return values.mapping(node, 0), values.problems


def _composed(header: str) -> yaml.Node | None:
    if len(header) <= _LONGEST_QUICK:
        with suppress(yaml.YAMLError, ValueError):
            return yaml.compose(header, Loader=_QUICK)
    return yaml.compose(header, Loader=yaml.BaseLoader)


def twice(file: str, line: int, key: str) -> Problem:
    """Return what is said of a key that stands in a header twice."""
    return Problem(
        file, line, f"the key {key!r} is given twice; this one is used", "remove one of the two lines"
    )


class _YamlValues:
    """Turns nodes into plain values, counting them, so that aliases cannot explode."""

    def __init__(self, file: str) -> None:
        self.problems: list[Problem] = []
        self._file, self._seen = file, 0

    def mapping(self, node: yaml.MappingNode, depth: int) -> dict[str, Any]:
        values: dict[str, Any] = {}
        for key, value in node.value:
            line = key.start_mark.line + 2
            if not isinstance(key, yaml.ScalarNode):
                raise Malformed(self._file, line, "a key is not a plain word", "write `key: value`")
            if key.value in values:
                self.problems.append(twice(self._file, line, key.value))
            values[key.value] = self.value(value, depth + 1)
        return values

    def value(self, node: yaml.Node, depth: int) -> Any:
        self._seen += 1
        if self._seen > MOST_VALUES or depth > DEEPEST:
            raise _excess(self._file, node.start_mark.line + 2)
        if isinstance(node, yaml.MappingNode):
            return self.mapping(node, depth)
        if isinstance(node, yaml.SequenceNode):
            return [self.value(item, depth + 1) for item in node.value]
        unquoted = isinstance(node, yaml.ScalarNode) and not node.style
        return None if unquoted and node.value in _NULLS else str(node.value)


def _excess(file: str, line: int) -> Malformed:
    message = "the header holds too many values, or is nested too deeply"
    hint = f"at most {MOST_VALUES:,} values, {DEEPEST} levels deep; avoid aliases (*name)"
    return Malformed(file, line, message, hint)


def _within_bounds(fields: dict[str, Any], file: str, line: int) -> dict[str, Any]:
    """Return what another language says, if it is no more than YAML may; whoever reads it goes down it."""
    level, seen = _inside(fields), 0
    for _ in range(DEEPEST):
        seen += len(level)
        level = [item for value in level for item in _inside(value)]
    if level or seen > MOST_VALUES:
        raise _excess(file, line)
    return fields


def _inside(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return list(value.values())
    return value if isinstance(value, list) else []


_NULLS = ("", "~", "null", "Null", "NULL")


def _yaml_problem(error: yaml.YAMLError, header: str, file: str) -> Malformed:
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    line = mark.line + 2 if mark else header.count("\n", 0, getattr(error, "position", 0)) + 2
    reason = getattr(error, "problem", None) or getattr(error, "reason", None) or "it cannot be read"
    return Malformed(file, line, f"the YAML header is malformed: {reason}", _YAML_HINT)


def parse_toml(header: str, file: str) -> Parsed:
    """Parse the lines between two `+++`; the header starts on line 2."""
    try:
        fields = tomllib.loads(header)
    except (ValueError, RecursionError) as error:
        line, reason = toml_error(error, header)
        raise Malformed(
            file,
            line + 1,
            f"the TOML header is malformed: {reason}",
            'text needs quotes: key = "value"; lists are written ["a", "b"]',
        ) from None
    return _within_bounds(fields, file, 2), []


def toml_error(error: Exception, text: str) -> tuple[int, str]:
    """Return the line a TOML error speaks of, counted from 1, and what it says."""
    found = re.search(r"at line (\d+)", str(error))
    line = int(found.group(1)) if found else text.rstrip("\n").count("\n") + 1
    return line, re.sub(r" ?\(at [^)]*\)$", "", str(error))


def parse_json(header: str, file: str) -> Parsed:
    """Parse the lines between two `;;;`, where the braces may be left out."""
    text = header if header.lstrip().startswith("{") else "{" + header.rstrip().rstrip(",") + "}"
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise _json_problem(error, file, 1) from None
    return _object(value, file, 2), []


def parse_leading_json(text: str, file: str) -> tuple[dict[str, Any], int]:
    """Parse the object a file starts with; also return where it ends."""
    try:
        value, end = json.JSONDecoder().raw_decode(text)
    except (ValueError, RecursionError) as error:
        raise _json_problem(error, file, 0) from None
    return _object(value, file, 1), end


def _object(value: Any, file: str, line: int) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise Malformed(file, 1, "the JSON header is not an object", 'write {"title": "…", "date": "…"}')
    return _within_bounds(value, file, line)


def _json_problem(error: Exception, file: str, offset: int) -> Malformed:
    reason = getattr(error, "msg", None) or "it cannot be read"
    return Malformed(
        file,
        getattr(error, "lineno", 1) + offset,
        f"the JSON header is malformed: {reason}",
        'keys and text need double quotes: {"title": "…"}',
    )
