"""What the codes (RFC 3463) and the words of a returned mail say: whose fault it is."""

import re

from blog.bounces.reports import Kind
from blog.delivery.meanings import BAD_ADDRESS, OURS

#: An enhanced code in running text; digits and dots around it make it an address or a version.
_CODE = re.compile(r"(?<![\d.])([45]\.\d{1,3}\.\d{1,3})(?![\d.]*\d)")
_PLAIN = re.compile(r"(?<![\d.])([45]\d\d)(?![\d.]*\d)[ -]")
_STATUS = re.compile(r"([245])\.(\d{1,3})\.(\d{1,3})")

#: Behind the relay, a mail that is too long (2.3) or cannot be converted (6) is about the message as well.
_OURS = re.compile(OURS + r"|2\.3|6\.\d+")
_FULL = frozenset({"2.2"})
#: Not reached: the system, the network or the route, for as long as the other side kept trying.
_SOFT = re.compile(r"3\.\d+|4\.[234567]")

_SAYS_OURS = re.compile(
    r"\bspam|block(ed|list)|black ?list|policy|reputation|dmarc|\bspf\b|dkim|\brbl\b|dnsbl|content rejected"
    r"|authenticat|too (large|big)|exceeds .{0,20}size|virus|rate limit"
)
_SAYS_FULL = re.compile(
    r"over ?quota|quota (has been )?exceeded|exceed\w* .{0,20}quota|(mailbox|inbox) (is )?full"
)
_SAYS_HARD = re.compile(
    r"user(name)? (is )?unknown|unknown (user|recipient|mailbox|address)"
    r"|no such (user|mailbox|address|recipient|person)"
    r"|(user|mailbox|recipient|account|address)( \S+)? (does not|doesn't|do not) exist|no mailbox here"
    r"|(user|mailbox|recipient|account) not found|invalid (recipient|mailbox|user)"
    r"|account (has been |is )?(disabled|closed|deleted)|mailbox (has been |is )?(disabled|closed|deleted)"
    r"|(domain|host)( name)? (not found|does not exist)|nxdomain"
)
_SAYS_SOFT = re.compile(
    r"timed out|time ?out|connection refused|could not be (reached|contacted)|expired|try again"
)


def kind_of(status: str, words: str = "") -> Kind:
    """Return what a failure is, by its enhanced code, or by its words where that says nothing."""
    status = _telling(status, words)
    found = _STATUS.fullmatch(status)
    if not found or found[2] == "0":
        return _by_words(words, soft=bool(found and found[1] == "4"))
    detail = f"{found[2]}.{found[3]}"
    if detail in _FULL:
        return Kind.FULL
    if found[1] == "4":
        return Kind.SOFT
    if detail in BAD_ADDRESS:
        return Kind.HARD
    if _OURS.fullmatch(detail):
        return Kind.OURS
    return Kind.SOFT if _SOFT.fullmatch(detail) else _by_words(words)


def code_in(words: str) -> str:
    """Return the first enhanced code in a text; else a plain one as its class; "" if there is none."""
    found = _CODE.search(words)
    if found:
        return found[1]
    plain = _PLAIN.search(words)
    return f"{plain[1][0]}.0.0" if plain else ""


def _telling(status: str, words: str) -> str:
    """Return the code that says more: many write 5.0.0 into the report and the true one into the words."""
    if status.endswith(".0.0") or not status:
        return code_in(words) or status
    return status


def _by_words(words: str, soft: bool = False) -> Kind:
    text = " ".join(words.lower().split())
    # What is said about us first: "user unknown" next to "blocked" must not cost anybody their subscription.
    if _SAYS_OURS.search(text):
        return Kind.OURS
    if _SAYS_FULL.search(text):
        return Kind.FULL
    if soft:
        return Kind.SOFT
    if _SAYS_HARD.search(text):
        return Kind.HARD
    return Kind.SOFT if _SAYS_SOFT.search(text) else Kind.UNSURE
