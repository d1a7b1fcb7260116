"""What went wrong, said so that a person can mend it."""


class BlogError(Exception):
    """A problem with a message for people: what, where and how to mend it, in one line."""

    exit_code = 1


class UsageError(BlogError):
    """The command or its settings are wrong; nothing was done."""

    exit_code = 2


class SettingsError(UsageError):
    """One or more settings are wrong; `problems` holds a line for each."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


class NoSuchIssue(BlogError):
    """There is no issue of that number."""

    def __init__(self, number: int) -> None:
        super().__init__(f"there is no issue {number}; blog digest list names those there are")


class Busy(BlogError):
    """The database could not take the write in time; nothing was stored, try again."""
