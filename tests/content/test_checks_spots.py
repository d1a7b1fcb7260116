"""Where addresses stand in a text."""

import pytest

from blog.content.checks.spots import Spot, spots


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("[a](b)", [Spot(1, "b")]),
        ("[a](<b c>)", [Spot(1, "b c")]),
        ('[a](b "title")', [Spot(1, "b")]),
        ("[a](b_(c)#d)", [Spot(1, "b_(c)#d")]),
        ("[a](b?c&amp;d)", [Spot(1, "b?c&d")]),
        ("one\n\n[a]: b", [Spot(3, "b")]),
        ("[^a]: b", []),
        ("![](b)", [Spot(1, "b", image=True, described=False)]),
        ("![a](b)", [Spot(1, "b", image=True)]),
        ("![][b]", [Spot(1, "b", image=True, described=False)]),
        ("[![](b)](c)", [Spot(1, "b", image=True, described=False), Spot(1, "c")]),
        ("<a\nhref='b'>", [Spot(1, "b")]),
        ('<IMG SRC="b">', [Spot(1, "b", image=True, described=False)]),
        ("<img src=b alt=''>", [Spot(1, "b", image=True)]),
        ("`[a](b)` ``[c](`d)``", []),
        ("`[a](b)", [Spot(1, "b")]),
        ("```\n[a](b)\n```\n[c](d)", [Spot(4, "d")]),
        ("- ~~~ js\n  [a](b)\n  ~~~\n[c](d)", [Spot(4, "d")]),
        ("<!--\n[a](b)\n-->\n[c](d)", [Spot(4, "d")]),
        ("<!-- [a](b)", [Spot(1, "b")]),
    ],
)
def test_every_address_has_its_line(body: str, expected: list[Spot]) -> None:
    assert spots(body) == expected


def test_lines_are_counted_from_where_the_body_starts() -> None:
    assert spots("one\n[a](b)", 10) == [Spot(11, "b")]
