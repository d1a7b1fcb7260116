"""The table of what a relay's refusals are about: this address, this moment, or us."""

import re
from dataclasses import dataclass
from enum import StrEnum


class Meaning(StrEnum):
    """Whose matter a reply is, and with it what follows."""

    RELAY = "relay"  # it is going down, or has had enough of us for now: all wait, nobody is punished
    SLOWER = "slower"  # this domain has had enough of us for now: its others wait too, the rest goes on
    LATER = "later"  # greylisting, a full mailbox, a busy host: this one is tried again, for hours
    BAD_ADDRESS = "bad address"  # no such mailbox: never again
    OURS = "ours"  # our standing, our login, our message: whoever is next would be refused as well
    REFUSED = "refused"  # this message to this recipient, and nobody is to blame


class Part(StrEnum):
    """Which part of the conversation was answered."""

    RECIPIENT = "recipient"
    CONTENT = "content"


@dataclass(frozen=True)
class Row:
    """Fits replies to `parts` whose code and enhanced code match; "" is a reply without an enhanced one.

    With `words` the text has to say so as well, in whatever case.
    """

    parts: tuple[Part, ...]
    codes: str
    enhanced: str
    meaning: Meaning
    words: str = ""


ANY, NONE = r".*", r""
BOTH = (Part.RECIPIENT, Part.CONTENT)
#: What says that the address is bad: no such mailbox, host or syntax; moved, closed, or another's by now.
BAD_ADDRESS = frozenset({"1.0", "1.1", "1.2", "1.3", "1.6", "1.10", "2.1", "7.17", "7.18"})
#: Its server is down for all (3.2, 4.5), or counts what comes from us (7.0, and what the big ones made of).
SLOWER = r"3\.2|4\.5|7\.0|7\.28|7\.[56]\d\d"
#: 4.7.1 and replies without a code are greylisting as often as a limit; only their words tell.
_TOO_FAST = (
    r"too (many|fast|frequent|quickly|much)|\brate\b|rate.?limit|throttl|unusual|reputation"
    r"|temporarily deferred|server busy|slow down|limit exceeded|exceeded .{0,30}limit|concurren"
)
#: Our sender (1.7, 1.8), size (3.4), protocol (5), content (6; 6.7: international address), policy (7).
OURS = r"1\.[78]|3\.4|5\.\d+|6\.[0-6]|7\.\d+"
#: The first row that fits counts. Codes: RFC 5321 §4.2.3; enhanced codes: RFC 3463, 5248 and 7293.
TABLE = (
    Row(BOTH, r"421", r"[34]\.\d+", Meaning.RELAY),
    Row(BOTH, r"421", ANY, Meaning.SLOWER),
    # "Too quickly" with 4.2.1 is about one mailbox, and 4.2.0 is greylisting.
    Row(BOTH, r"4..", SLOWER, Meaning.SLOWER),
    Row(BOTH, r"4..", r"7\.1|", Meaning.SLOWER, _TOO_FAST),
    Row(BOTH, r"4..", ANY, Meaning.LATER),
    Row((Part.RECIPIENT,), r"5..", "|".join(map(re.escape, sorted(BAD_ADDRESS))), Meaning.BAD_ADDRESS),
    Row(BOTH, r"5..", OURS, Meaning.OURS),
    Row(BOTH, r"53[0458]", NONE, Meaning.OURS),
    Row((Part.CONTENT,), r"552", NONE, Meaning.OURS),
    # After the content a 5xx is about the message, never about the address: nobody is suppressed.
    Row((Part.RECIPIENT,), r"55[013]", NONE, Meaning.BAD_ADDRESS),
    Row(BOTH, r"...", ANY, Meaning.REFUSED),
)

_ENHANCED = re.compile(r"^[245]\.(\d{1,3}\.\d{1,3})\b")


def of(part: Part, code: int, text: str) -> Meaning:
    """Return what a reply that is no 2xx means."""
    found = _ENHANCED.match(text)
    enhanced = found[1] if found else ""
    words = " ".join(text.lower().split())
    return next(
        row.meaning
        for row in TABLE
        if part in row.parts
        and re.fullmatch(row.codes, str(code))
        and re.fullmatch(row.enhanced, enhanced)
        and re.search(row.words, words)
    )
