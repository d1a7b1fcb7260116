"""Holds deliveries back so that no place gets more than it is to get: one bucket a place, for all workers.

Where nothing is limited this is one look at a table that is empty. What has to wait is put off to a moment of
its own, so that nobody searches through it meanwhile, and others go on.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime

from sqlalchemy import Table, bindparam, select, update
from sqlalchemy.orm import Session

from blog.delivery import learning, ledger
from blog.delivery.models import IS_WAITING, Delivery, DeliveryState, Mailing, Pace
from blog.delivery.outcomes import EXPIRED
from blog.delivery.pace import Day, Gate, Limits
from blog.delivery.states import CLAIMED, PLANNED, Claim, Owner
from blog.delivery.upsert import upsert

PACED = "paced"
RELAY, WARM_UP = "the relay", "the warm-up"


def take(
    session: Session, owner: Owner, limits: Limits, claims: Sequence[Claim], now: datetime, most: int = 100
) -> list[Claim]:
    """Return those of these claims that may go now, up to `most`, and release the others that might.

    What may not is put off, or ended if it was for days.
    """
    if not claims or not applies(session, limits, now):
        return list(claims)
    gates = _gates(session, limits, {domain_of(claim.address) for claim in claims}, now)
    granted: list[Claim] = []
    put_off, hopeless, surplus = [], [], []
    began = session.scalar(select(Mailing.created_at).where(Mailing.id == claims[0].mailing_id)) or now
    for claim in claims:
        if len(granted) >= most:
            surplus.append(claim.id)
            continue
        mine = [gates[place] for place in (RELAY, WARM_UP, domain_of(claim.address)) if place in gates]
        shut = [gate for gate in mine if not gate.is_open()]
        if any(learning.is_given_up(gate.refused_since, began, now) for gate in shut):
            hopeless.append(claim.id)
            continue
        if shut:
            put_off.append({"its_id": claim.id, "later": max(gate.slot() for gate in shut)})
            continue
        for gate in mine:
            gate.take()
        granted.append(claim)
    _keep(session, gates.values())
    if surplus:
        ledger.release(session, owner, surplus, now)
    if hopeless:
        _give_up(session, owner, hopeless, now)
    if put_off:
        values = {"its_owner": owner.token, "now": now}
        session.connection().execute(_PUT_OFF, [values | row for row in put_off])
    return granted


def count(session: Session, limits: Limits, address: str, now: datetime) -> None:
    """Count a mail that somebody waits for and that went without asking: what asks makes up for it."""
    if not applies(session, limits, now):
        return
    gates = _gates(session, limits, {domain_of(address)}, now).values()
    for gate in gates:
        gate.owe()
    _keep(session, gates)


def _give_up(session: Session, owner: Owner, delivery_ids: Sequence[int], now: datetime) -> None:
    session.execute(
        update(Delivery)
        .where(Delivery.id.in_(delivery_ids), Delivery.owner == owner.token, Delivery.state == CLAIMED)
        .values(state=DeliveryState.FAILED, reason=EXPIRED, lease_until=None, updated_at=now)
        .execution_options(synchronize_session=False)
    )


def applies(session: Session, limits: Limits, now: datetime) -> bool:
    """Whether anything is limited, by the settings or by what a server has said."""
    return not limits.none_at(now) or session.connection().scalar(_ANY) is not None


def domain_of(address: str) -> str:
    """Return the domain of an address as it is on the wire."""
    return address.rpartition("@")[2].lower()


def next_due(session: Session, mailing_id: int, now: datetime) -> datetime | None:
    """Return when the next of a mailing's deliveries that have been put off falls due."""
    return session.scalar(
        select(Delivery.next_at)
        .where(Delivery.mailing_id == mailing_id, IS_WAITING, Delivery.next_at > now)
        .order_by(Delivery.next_at)
        .limit(1)
    )


def slowed(session: Session) -> Sequence[Pace]:
    """Return the domains that have asked us to slow down, those that are shut longest first."""
    mine = select(Pace).where(Pace.per_second.is_not(None))
    return session.scalars(mine.order_by(Pace.blocked_until.desc(), Pace.place)).all()


def _gates(session: Session, limits: Limits, domains: set[str], now: datetime) -> dict[str, Gate | Day]:
    """Return the gates that count for these domains, locked until this transaction ends."""
    quota = limits.warm_up.quota(now) if limits.warm_up else None
    configured = {domain for domain in domains if limits.of(domain)}
    configured |= {name for name, limited in ((RELAY, limits.relay), (WARM_UP, quota)) if limited}
    _begin(session, configured, limits, now)
    rows = _locked(session, domains | {RELAY, WARM_UP})
    gates: dict[str, Gate | Day] = {}
    for row in rows:
        if row.place == WARM_UP and quota:
            gates[row.place] = Day(WARM_UP, row.tokens, row.at, quota)
            continue
        learning.recover(row, now)
        asked = limits.relay if row.place == RELAY else limits.of(row.place)
        rates = [rate for rate in (asked.per_second if asked else None, row.per_second) if rate]
        if not rates:
            session.delete(row)
            continue
        burst = 1.0 if row.per_second or not asked else float(asked.burst)
        gates[row.place] = Gate(
            row.place,
            row.tokens,
            row.at,
            burst,
            min(rates),
            row.planned_to,
            row.blocked_until,
            row.refused_since,
        )
    for gate in gates.values():
        gate.refill(now)
    return gates


def _begin(session: Session, places: Iterable[str], limits: Limits, now: datetime) -> None:
    """Have a full bucket where there is none yet."""
    rows = []
    for place in sorted(places):
        asked = limits.relay if place == RELAY else limits.of(place)
        rows.append({"place": place, "tokens": asked.burst if asked and place != WARM_UP else 0, "at": now})
    if rows:
        session.execute(upsert(session, Pace).values(rows).on_conflict_do_nothing())


def _locked(session: Session, places: Iterable[str]) -> Sequence[Pace]:
    wanted = select(Pace).where(Pace.place.in_(sorted(places))).order_by(Pace.place)
    return session.scalars(wanted.with_for_update().execution_options(populate_existing=True)).all()


def _keep(session: Session, gates: Iterable[Gate | Day]) -> None:
    for gate in gates:
        row = session.get_one(Pace, gate.place)
        row.tokens, row.at, row.planned_to = gate.tokens, gate.at, gate.planned_to
    session.flush()


_ANY = select(Pace.place).limit(1)
_TABLE: Table = Delivery.__table__  # type: ignore[assignment]
_PUT_OFF = (
    update(_TABLE)
    .where(
        _TABLE.c.id == bindparam("its_id"),
        _TABLE.c.owner == bindparam("its_owner"),
        _TABLE.c.state == CLAIMED.value,
    )
    .values(
        state=PLANNED.value,
        reason=PACED,
        next_at=bindparam("later", type_=_TABLE.c.next_at.type),
        lease_until=None,
        updated_at=bindparam("now", type_=_TABLE.c.updated_at.type),
    )
)
