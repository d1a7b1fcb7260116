"""Sends claimed deliveries over a few kept-open connections, recording each step at the desk.

One thread holds all connections: see `loop`.
"""

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import structlog
from sqlalchemy.exc import SQLAlchemyError

from blog.delivery import ledger, outcomes, pacing, splice, stopping
from blog.delivery.channel import Channel, without_addresses
from blog.delivery.desk import Desk
from blog.delivery.loop import Loop
from blog.delivery.models import DeliveryState
from blog.delivery.outcomes import Trouble
from blog.delivery.replies import Asked, Envelope, Lost, Reply
from blog.delivery.smtp import END_OF_DATA, Connection, Unreachable
from blog.delivery.source import Sending, Source
from blog.delivery.states import Claim, Result
from blog.delivery.templates import Templates
from blog.delivery.waiting import Passed, until
from blog.errors import Busy

__all__ = ["Report", "Sending", "send_due"]

MESSAGES_PER_CONNECTION = 1000

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Report:
    """What one run did: results by state, and the relay's trouble that ended it, if any."""

    results: Mapping[str, int]
    trouble: str | None


class Outgoing(NamedTuple):
    """A claimed delivery with its finished bytes and envelope."""

    claim: Claim
    content: bytes
    envelope: Envelope


def send_due(sending: Sending, stop: threading.Event, patience: int | None = None) -> Report:
    """Send until nothing is due, or `stop` is set, or the relay was the trouble `patience` times in a row.

    Without `patience` it keeps trying, with pauses that grow. Every claimed row is settled or given back.
    """
    desk = Desk(sending.database, sending.owner, sending.clock, sending.notes)
    source = Source(sending, stop)
    channel = Channel(patience)
    templates = Templates(sending.database)
    couriers = [Courier(sending, desk, source, channel, templates) for _ in range(sending.connections)]
    try:
        # SQLite works in this process, so a thread for it would only take turns with ours; a server waits.
        loop = Loop(desk.gather, desk.keep_leases, stop, waits=not sending.database.is_sqlite)
        loop.run(courier.work() for courier in couriers)
    finally:
        source.close()
    return Report(desk.results, channel.trouble if channel.given_up else None)


class Courier:
    """Works one connection: asks for a message, hands it over, records, and goes on."""

    def __init__(
        self, sending: Sending, desk: Desk, source: Source, channel: Channel, templates: Templates
    ) -> None:
        self._sending = sending
        self._desk = desk
        self._source = source
        self._channel = channel
        self._connection: Connection | None = None
        self._templates = templates
        self._sender = lru_cache(maxsize=64)(self._load_sender)

    async def work(self) -> None:
        """Carry messages until there are none, or the relay has been given up."""
        granted: Outgoing | None = None
        try:
            following = await self._await()
            while granted or following:
                asked = None if granted and self._is_worn() else following
                granted = await self._round(granted, asked)
                if asked is following:
                    # With a message granted nobody waits here: the relay waits for it.
                    following = await (self._next() if granted else self._await())
            if self._connection:
                await self._connection.quit()
        finally:
            self._drop()

    async def _round(self, granted: Outgoing | None, following: Outgoing | None) -> Outgoing | None:
        """Hand over `granted` and ask for `following`; return it if its hand-over is recorded and allowed."""
        try:
            connection = await self._connected()
        except Unreachable as error:
            await self._desk.hand_in([], untouched=following.claim.id if following else None)
            self._source.look_again()
            await self._channel.fails(str(error))
            return None
        content = granted.content if granted else None
        exchange = await connection.exchange(content, following.envelope if following else None)
        results = [self._content_result(granted.claim, exchange.content)] if granted else []
        verdict = self._envelope_verdict(following, exchange.envelope)
        if isinstance(verdict, Result):
            results.append(verdict)
        ready = following if verdict is None else None
        untouched = following.claim.id if following and isinstance(verdict, Trouble) else None
        allowed = await self._desk.hand_in(results, ready.claim.id if ready else None, untouched)
        if verdict is None and allowed == bool(ready) and _all_accepted(results):
            return ready
        self._source.look_again()
        self._stop_if_refused(results, granted, following)
        slowed = await self._slow_down(results, granted, following)
        if isinstance(verdict, Trouble) or isinstance(exchange.content, Lost):
            self._drop()
            # After a 421 the connection is over (RFC 5321 §3.8), and that is no trouble of the relay.
            if not slowed:
                await self._channel.fails(_why(verdict, exchange.content))
        elif any(result.reply.startswith("421") for result in results):
            self._drop()
        if ready and not allowed:
            await self._withdraw(ready)
            return None
        return ready

    def _stop_if_refused(
        self, results: list[Result], granted: Outgoing | None, following: Outgoing | None
    ) -> None:
        """Pause the mailing when the relay refuses message after message because of us."""
        for result in results:
            if not result.our_fault or self._channel.refuses_us() < stopping.MOST_IN_A_ROW:
                continue
            whose = granted if granted and granted.claim.id == result.delivery_id else following
            if whose is None:
                continue
            try:
                with self._sending.database.transaction() as session:
                    words = without_addresses(result.reply)
                    stopping.stop(session, whose.claim.mailing_id, words, self._sending.clock())
                self._source.give_back(whose.claim.mailing_id)
            except (SQLAlchemyError, Busy) as error:
                # The next refusal tries again; a courier that ended here would leave its rows to their lease.
                log.warning("delivery.stop_waits", error=type(error).__name__)

    async def _slow_down(
        self, results: list[Result], granted: Outgoing | None, following: Outgoing | None
    ) -> bool:
        """Leave alone the domains that ask for it; return whether one has."""
        slower = {result.delivery_id: result.reply for result in results if result.slower}
        for outgoing in (granted, following):
            if outgoing and outgoing.claim.id in slower:
                domain = pacing.domain_of(outgoing.claim.address)
                self._give_back_domain(domain)
                await self._channel.refuses_domain(domain, slower[outgoing.claim.id])
        return bool(slower)

    def _give_back_domain(self, domain: str) -> None:
        try:
            self._source.give_back_domain(domain)
        except (SQLAlchemyError, Busy) as error:
            # They are tried, then, and refused once more; a courier that ended here would be worse.
            log.warning("delivery.giving_back_waits", error=type(error).__name__)

    def _content_result(self, claim: Claim, answer: Reply | Lost | None) -> Result:
        policy, now = self._sending.policy, self._sending.clock()
        result = outcomes.of_content(claim, answer or Lost("no answer"), policy, now)
        if result.state == DeliveryState.ACCEPTED:
            self._channel.works()
        return result

    def _envelope_verdict(
        self, following: Outgoing | None, asked: Asked | Lost | None
    ) -> Result | Trouble | None:
        if following is None or asked is None:
            return None
        return outcomes.of_envelope(following.claim, asked, self._sending.clock())

    async def _withdraw(self, outgoing: Outgoing) -> None:
        """The relay waits for a message that must not leave: hang up, for without a final dot it has none."""
        self._drop()
        await self._desk.hand_in([], untouched=outgoing.claim.id)
        self._source.give_back(outgoing.claim.mailing_id)

    async def _connected(self) -> Connection:
        if self._connection and self._connection.handed_over >= MESSAGES_PER_CONNECTION:
            await self._connection.quit()
            self._connection = None
        if self._connection is None:
            fresh = Connection(self._sending.relay)
            await fresh.open()
            self._connection = fresh
        return self._connection

    def _is_worn(self) -> bool:
        """Whether the message just granted is the connection's last; the next one then opens a fresh one."""
        return self._connection is not None and self._connection.handed_over >= MESSAGES_PER_CONNECTION - 1

    def _drop(self) -> None:
        if self._connection:
            self._connection.abort()
        self._connection = None

    async def _next(self) -> Outgoing | None:
        """Return the next finished message; one that cannot be made fails alone."""
        while not self._channel.given_up and (claim := self._source.next()):
            try:
                return self._finished(claim)
            except (ValueError, KeyError) as error:
                log.error("delivery.render_failed", delivery=claim.id, error=type(error).__name__)
                await self._desk.hand_in([Result(claim.id, DeliveryState.FAILED, "render")])
        return None

    async def _await(self) -> Outgoing | None:
        """Return the next message; while pace or a first share hold it back for a moment, wait for it."""
        while not (found := await self._next()) and (pause := self._source.soon()) is not None:
            if self._channel.given_up:
                return None
            await until(Passed(pause))
        return found

    def _finished(self, claim: Claim) -> Outgoing:
        message = self._templates.segments(claim.variant_id).fill(self._sending.personalise(claim))
        sender = ""
        if self._sending.returns:
            message = self._sending.returns.header(claim.id) + message
            sender = self._sending.returns.for_delivery(claim.id)
        if self._sending.sign:
            message = self._sending.sign(splice.unstuff_dots(message)) + message
        content = message + END_OF_DATA
        sender = sender or self._sender(claim.mailing_id)
        return Outgoing(claim, content, Envelope(sender, claim.address, len(content)))

    def _load_sender(self, mailing_id: int) -> str:
        with self._sending.database.reading() as session:
            return ledger.envelope_from(session, mailing_id)


def _all_accepted(results: list[Result]) -> bool:
    return all(result.state is DeliveryState.ACCEPTED for result in results)


def _why(verdict: Result | Trouble | None, answer: Reply | Lost | None) -> str:
    if isinstance(answer, Lost):
        return answer.why
    return verdict.why if isinstance(verdict, Trouble) else "connection lost"
