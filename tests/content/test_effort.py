"""No text takes long: what it costs is counted, grows with its length, and is refused beyond a bound."""

import sys
from pathlib import Path
from types import FrameType
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from blog.content import effort
from blog.content.brackets import Pairs
from blog.content.markup import Text, render
from blog.content.problems import Malformed
from blog.content.references import Shelf
from blog.content.values import Problem

NOWHERE = Shelf(Path("/nonexistent"))
HOSTILE = [
    *("[", "]", "![", "[a", "[a](", "[a](b", '[a](b "', "[a](<b", "[a][b", "[^a]", "[^a]: b\n", "[a]: b\n"),
    *("`", "`a", "`` `", "*", "*a", "**a*", "***a ", "*a_ ", "_", "__a_ ", "*_a", "~~a ", "a_b*c", "*a **b "),
    *(">", "> ", "> a\n", "- ", "- a\n", "1. - ", "- a\n\n", "*\n", "# a\n", "## Same\n\n", "a\n=\n", "#"),
    *("<", "<a", "<a ", "<!--", "<?", "</", '<a href="', "<div>", "<div>\n\n", "<b>", "<http://", "<a@"),
    *("&", "&a", "&#", "&amp;", "|", "-|", "a|b\n-|-\n", "`|", "\\|", "\\", "{: ", "a{: b=", "{}", "(", "$"),
    *('"', "'", '"a ', "<<a", "a\n: b\n\n", ":   a\n", "!!! a\n", "*[a]: b\n", "```\n", "~~~ a\n", "http://"),
    *(
        "  \n",
        "\n",
        "\x02",
        "\x02klzzwxh:1\x03",
        "- - ",
        "[*`_<!",
        "![a](b)",
        "[a](b) ",
        "***",
        "$$",
        "::: a\n",
    ),
]


def outcome(body: str) -> str:
    problem = refused(body)
    if problem is None:
        return ""
    assert problem.line is not None
    assert problem.hint
    return problem.message


def refused(body: str) -> Problem | None:
    try:
        render(Text("articles/a.md", body, 3, "Title"), NOWHERE)
    except Malformed as mistake:
        return mistake.problem
    return None


def calls(body: str) -> int:
    """Count the calls that rendering a text makes: work that no machine's speed changes."""
    made = 0
    outcome("begin")  # who has refused a text makes itself a new converter for the next one

    def count(frame: FrameType, event: str, argument: Any) -> None:
        nonlocal made
        made += event in ("call", "c_call")

    sys.setprofile(count)
    try:
        outcome(body)
    finally:
        sys.setprofile(None)
    return made


@pytest.mark.parametrize("piece", HOSTILE)
def test_twice_the_text_is_about_twice_the_work(piece: str) -> None:
    once, twice = (calls(piece * (size // len(piece))) for size in (600, 1_200))
    # Of a block with many headings in it, the library splits what is left at each: cheap, and counted.
    assert twice < 2.8 * once + 2_000


@pytest.mark.parametrize("piece", HOSTILE)
def test_a_long_text_of_signs_is_refused_before_it_is_parsed_or_costs_little(piece: str) -> None:
    lines = (piece * (100_000 // len(piece))).split("\n")
    named = too_much(lines)
    assert named is None or named in lines


def too_much(lines: list[str]) -> str | None:
    """Return the line that is named when a text is refused."""
    try:
        assert effort.measure(lines) <= effort.MOST_WORK
    except effort.TooMuch as excess:
        return excess.line
    return None


@pytest.mark.parametrize("text", ["[" * 5_000, "[a](" * 2_000, "[" * 500 + "]" * 500])
def test_all_brackets_of_a_text_are_paired_in_one_pass(text: str) -> None:
    pairs = Pairs()
    for place, char in enumerate(text, start=1):
        if char == "[":
            pairs.closing(text, place)
    assert pairs.passes == 1


@given(st.text(alphabet="[]a", max_size=40))
def test_brackets_close_where_a_reader_sees_them_close(text: str) -> None:
    pairs = Pairs()
    for place, char in enumerate(text):
        if char == "[":
            assert pairs.closing(text, place + 1) == _closing(text, place)


def _closing(text: str, place: int) -> int | None:
    depth = 0
    for position in range(place, len(text)):
        depth += {"[": 1, "]": -1}.get(text[position], 0)
        if depth == 0:
            return position
    return None


@pytest.mark.parametrize("text", ["[" * 5_000, "[a](b " * 800])
def test_what_never_closes_is_text(text: str) -> None:
    assert (
        render(Text("articles/a.md", text, 1, "Title"), NOWHERE).html.replace(" </p>", "</p>")
        == f"<p>{text.strip()}</p>"
    )


def test_a_text_that_fails_leaves_nothing_for_the_next() -> None:
    assert "RecursionError" in outcome("1. - " * 6_000)
    assert render(Text("articles/a.md", "A *b*", 1, "Title"), NOWHERE).html == "<p>A <em>b</em></p>"


@pytest.mark.parametrize(
    ("body", "line", "reason"),
    [
        ("fine\n\n" + "<a " * 10_000, 5, "too many signs"),
        ("fine\n\n" + "> " * 30 + "deep", 5, "more than 20 deep"),
        ("<div>" * 200, 3, "more than 100 deep"),
        ("fine\n\n" + "".join(f"[^{n}]: x\n" for n in range(2_000)), 1_005, "1,000 footnotes"),
        ("a\n\n" * 20_000, 3, "10,000 lines"),
        ("```\nb\n```\n\n" * 11_000, 4, "10,000 blocks"),
        ("1. - " * 6_000, 3, "RecursionError"),
    ],
)
def test_what_is_refused_is_named_with_its_line(body: str, line: int, reason: str) -> None:
    with pytest.raises(Malformed) as caught:
        render(Text("articles/a.md", body, 3, "Title"), NOWHERE)
    assert reason in caught.value.problem.message
    assert caught.value.problem.line == line


@settings(max_examples=25, deadline=None)
@given(st.lists(st.sampled_from(HOSTILE), min_size=1, max_size=4), st.integers(1, 3))
def test_no_mixture_of_signs_grows_faster_than_its_length(pieces: list[str], lines: int) -> None:
    unit = "".join(pieces) + "\n" * (lines - 1)
    once, twice = (calls(unit * (size // len(unit) + 1)) for size in (400, 800))
    assert twice < 3 * once + 3_000


def test_of_very_many_problems_the_first_are_named() -> None:
    made = render(Text("articles/a.md", "[x](gone.md)\n\n" * 300, 1, "Title"), NOWHERE)
    assert len(made.problems) == 200


@settings(max_examples=300)
@given(st.lists(st.sampled_from([*HOSTILE, "", "words and words", "- a", "# a"]), max_size=40))
def test_the_work_of_a_text_never_exceeds_its_limit(lines: list[str]) -> None:
    assert effort.measure(lines) <= effort.limit(lines)
