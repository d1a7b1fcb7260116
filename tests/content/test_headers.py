"""Headers are read by the quick parser where that is safe, and mean the same to the other."""

from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from blog.content import headers
from blog.content.problems import Malformed

_PIECES = st.sampled_from(
    [
        *"abc :-[]{},#&*!|>%@`\"'\n\t?.~=<0é\u2028\ud7ff",
        ": ",
        "- ",
        "\n  ",
        "\n- ",
        "key: ",
        "!!int ",
        '"\\x41"',
    ]
)
_ODDITIES = Path(__file__).parent / "oddities"


def _read(header: str, *, quick: bool) -> Any:
    parser = headers._QUICK if quick else yaml.BaseLoader
    with patch.object(headers, "_QUICK", parser):
        try:
            values, problems = headers.parse_yaml(header, "a.md")
        except Malformed as mistake:
            return mistake.problem
    return values, problems


@given(st.lists(_PIECES, max_size=40).map("".join))
def test_what_both_parsers_read_they_read_alike(header: str) -> None:
    slow = _read(header, quick=False)
    if not isinstance(slow, tuple):
        return
    assert _read(header, quick=True) == slow


@pytest.mark.parametrize("path", sorted(_ODDITIES.rglob("*.md")), ids=lambda path: path.stem)
def test_every_oddity_reads_alike(path: Path) -> None:
    header = path.read_bytes().decode("utf-8-sig", "replace").replace("\r\n", "\n").split("---")
    if len(header) > 2:
        assert _read(header[1], quick=True) == _read(header[1], quick=False)


def test_a_nesting_that_would_overflow_the_stack_is_explained() -> None:
    for header in ("[" * 1_999, "a: " + "[" * 1_000_000, "- " * 1_999):
        with pytest.raises(Malformed):
            headers.parse_yaml(header, "a.md")
