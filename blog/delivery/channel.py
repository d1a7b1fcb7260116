"""The state of the way to the relay, shared by all connections of a sender."""

import re
import time

import structlog

from blog.delivery.waiting import Passed, until

#: After the relay itself was the trouble: the first pause in seconds, doubled up to a quarter of an hour.
FIRST_PAUSE, LONGEST_PAUSE = 0.1, 900.0

#: So many domains that have had enough of us, one after the other, are one relay that has.
MOST_DOMAINS = 3

#: A relay's words may quote an address, and no address is written to a log.
_ADDRESS = re.compile(r"[^\s<>]+@[^\s<>]+")

log = structlog.get_logger(__name__)


class Channel:
    """How the relay does: when it is the trouble, all wait, and no recipient is punished."""

    def __init__(self, patience: int | None) -> None:
        self._patience = patience
        self._failures = self._refusals = 0
        self._paused_until = 0.0
        self._refused: set[str] = set()
        self.trouble = ""
        self.given_up = False

    def works(self) -> None:
        """Note that the relay took a message."""
        self._failures = self._refusals = 0
        if self._refused:
            self._refused.clear()

    def refuses_us(self) -> int:
        """Note that the relay refused a message because of us; return how often in a row."""
        self._refusals += 1
        return self._refusals

    async def refuses_domain(self, domain: str, why: str) -> None:
        """Note that a domain has had enough of us; several, and none that takes mail, are the relay."""
        self._refused.add(domain)
        if len(self._refused) >= MOST_DOMAINS:
            await self.fails(why)

    async def fails(self, why: str) -> None:
        """Note that the relay was the trouble, and wait before the next try."""
        now = time.monotonic()
        if now >= self._paused_until:
            self._failures += 1
            pause = min(FIRST_PAUSE * 2 ** (self._failures - 1), LONGEST_PAUSE)
            self._paused_until = now + pause
            self.trouble = without_addresses(why)
            log.warning("smtp.trouble", why=self.trouble, seconds=pause)
        if self._patience is not None and self._failures >= self._patience:
            self.given_up = True
        if not self.given_up:
            await until(Passed(self._paused_until - now))


def without_addresses(words: str) -> str:
    """Return a relay's words as they may be logged."""
    return _ADDRESS.sub("<address>", words)
