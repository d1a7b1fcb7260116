"""Problems: raised where a file cannot go on, and rendered as lines for people."""

from blog.content.values import Problem


class Malformed(Exception):
    """The file cannot be read; `problem` says where and how to mend it."""

    def __init__(self, file: str, line: int | None, message: str, hint: str) -> None:
        super().__init__(message)
        self.problem = Problem(file, line, message, hint)


def line(problem: Problem) -> str:
    """Return one problem as `file:line: message — hint`."""
    place = problem.file if problem.line is None else f"{problem.file}:{problem.line}"
    hint = f" — {problem.hint}" if problem.hint else ""
    return _single_line(f"{place}: {problem.message}{hint}")


def lines(problems: list[Problem]) -> list[str]:
    """Return all problems as lines, in the order of files and lines."""
    ordered = sorted(problems, key=lambda problem: (problem.file, problem.line or 0, problem.message))
    return [line(problem) for problem in ordered]


def _single_line(text: str) -> str:
    # A file name or a value may hold anything; a terminal must not obey it.
    return "".join(char if char.isprintable() else "�" for char in text)
