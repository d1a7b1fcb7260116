"""Problems as lines."""

from blog.content import problems
from blog.content.values import Problem


def test_a_problem_is_one_line_with_place_message_and_hint() -> None:
    assert problems.line(Problem("a.md", 3, "it is wrong", "mend it")) == "a.md:3: it is wrong — mend it"
    assert problems.line(Problem("a.md", None, "it is wrong", "")) == "a.md: it is wrong"


def test_problems_are_listed_by_file_and_line() -> None:
    found = [Problem("b.md", None, "x", ""), Problem("a.md", 9, "x", ""), Problem("a.md", 2, "x", "")]
    assert problems.lines(found) == ["a.md:2: x", "a.md:9: x", "b.md: x"]


def test_a_name_cannot_give_the_terminal_orders() -> None:
    assert "\x1b" not in problems.line(Problem("a\x1b[2J.md", None, "one\ntwo", ""))
    assert "\n" not in problems.line(Problem("a.md", None, "one\ntwo", ""))
