"""What the doctor says of one thing: what was found, why it matters, how to mend it."""

from dataclasses import asdict, dataclass
from enum import StrEnum


class Verdict(StrEnum):
    """How a thing stands; only what is wrong makes the command exit with 1."""

    GOOD = "good"
    WARNING = "warning"
    WRONG = "wrong"
    SKIPPED = "skipped"


@dataclass(frozen=True)
class Finding:
    """One line of the report; `why` and `mend` are empty where all is well."""

    name: str
    verdict: Verdict
    found: str
    why: str = ""
    mend: str = ""

    def plain(self) -> dict[str, str]:
        """Return it for `--json`."""
        return asdict(self)


def good(name: str, found: str) -> Finding:
    return Finding(name, Verdict.GOOD, found)


def skipped(name: str, why: str) -> Finding:
    return Finding(name, Verdict.SKIPPED, why)


def warning(name: str, found: str, why: str, mend: str) -> Finding:
    return Finding(name, Verdict.WARNING, found, why, mend)


def wrong(name: str, found: str, why: str, mend: str) -> Finding:
    return Finding(name, Verdict.WRONG, found, why, mend)
