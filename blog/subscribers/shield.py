"""What protects other people's mailboxes from a flood of sign-ups: counts in the database, the same for all.

Everything here depends on the visitor's network, the domain of the address and the hour, never on what is
known of the address, so it gives nothing away. Counts are kept under keyed hashes and name nobody.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from functools import cache
from ipaddress import ip_address, ip_network

from sqlalchemy import Executable, bindparam, delete, func, or_, select, union_all
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from blog.delivery.upsert import dialect_of, insert_for
from blog.subscribers.models import SignupCount
from blog.tokens import BadToken, Purpose, Tokens

HOUR, DAY, WEEK = timedelta(hours=1), timedelta(days=1), timedelta(days=7)
NETWORK_AN_HOUR, NETWORK_A_DAY = 10, 20
DOMAIN_AN_HOUR = 200
#: Above this many sign-ups in an hour, and five times the usual, a form without proof needs one more button.
CALM_AN_HOUR, UNUSUAL = 50, 5
QUICKEST, OLDEST = timedelta(seconds=2), timedelta(hours=24)


class Verdict(StrEnum):
    """What is to become of a sign-up."""

    PASS = "pass"  # noqa: S105 - a word, not a password
    LATER = "later"
    DOUBT = "doubt"
    REFUSE = "refuse"


@dataclass(frozen=True)
class Visit:
    """What is known of a sign-up before the address is looked up; `proven` is what a form's token shows."""

    remote_address: str | None
    domain: str
    proven: bool


def network_key(remote_address: str | None) -> str:
    """Return the network that a visitor is counted by (/24, /64); "" for this machine itself.

    Behind a proxy that nobody has declared, every visitor seems to be this machine: they share no limit then.
    """
    try:
        ip = ip_address(remote_address or "")
    except ValueError:
        return ""
    ip = getattr(ip, "ipv4_mapped", None) or ip
    return "" if ip.is_loopback else str(ip_network((ip, 24 if ip.version == 4 else 64), strict=False))


def weigh(session: Session, tokens: Tokens, visit: Visit, now: datetime) -> Verdict:
    """Count a sign-up for its network and say what is to become of it; a refused one should be rolled back.

    `remember` counts for the site and the domain, at the end: everybody waits for those two rows, and holding
    them throughout made all sign-ups go in single file. A few at the same moment may be one too many.
    """
    network = network_key(visit.remote_address)
    key = tokens.count_key(f"network {network}") if network else ""
    this_hour = count(session, key, now) if network else 0
    site, domain = _shared_keys(tokens, visit)
    known = {"site": site, "domain": domain, "hour": _hour(now), "network": key, "since": now - DAY}
    so_far = dict(session.connection().execute(_SO_FAR, known).all())
    if this_hour > NETWORK_AN_HOUR or so_far.get(key, 0) > NETWORK_A_DAY:
        return Verdict.REFUSE
    tries = so_far.get(site, 0) + 1
    if tries > CALM_AN_HOUR and not visit.proven and tries > UNUSUAL * _usual(session, site, now):
        return Verdict.DOUBT
    return Verdict.LATER if so_far.get(domain, 0) >= DOMAIN_AN_HOUR else Verdict.PASS


def remember(session: Session, tokens: Tokens, visit: Visit, verdict: Verdict, now: datetime) -> None:
    """Count a sign-up for the site, and unless it was in doubt for the domain that is mailed."""
    site, domain = _shared_keys(tokens, visit)
    # Always in this order, so that no two wait for each other.
    keys = (site,) if verdict is Verdict.DOUBT else (site, domain)
    rows = [{"key": key, "span": _hour(now), "tries": 1} for key in keys]
    session.connection().execute(_one_more(dialect_of(session)), rows)


def form_token(tokens: Tokens) -> str:
    """Return the token of a form that is shown now."""
    return tokens.timed(Purpose.FORM, ["signup"])


def is_proven(tokens: Tokens, token: str) -> bool:
    """Whether a form was shown by us, today, and not filled in faster than a person could."""
    try:
        return QUICKEST <= tokens.age(Purpose.FORM, token) <= OLDEST
    except BadToken:
        return False


def count(session: Session, key: str, now: datetime) -> int:
    """Add one to the hour's count and return it, in one statement, so that no two see the same number."""
    row = {"key": key, "span": _hour(now), "tries": 1}
    return int(session.connection().scalar(_counting(dialect_of(session)), row) or 0)


def forget_old(session: Session, now: datetime) -> None:
    """Delete the counts that no limit looks at any more."""
    session.execute(delete(SignupCount).where(SignupCount.span < now - WEEK - HOUR))


def _shared_keys(tokens: Tokens, visit: Visit) -> tuple[str, str]:
    return tokens.count_key("site"), tokens.count_key(f"domain {visit.domain}")


def _hour(now: datetime) -> datetime:
    return now.replace(minute=0, second=0, microsecond=0)


def counted(session: Session, key: str, now: datetime) -> int:
    """Return this hour's count, without adding to it."""
    this_hour = SignupCount.key == key, SignupCount.span == _hour(now)
    return session.scalar(select(SignupCount.tries).where(*this_hour)) or 0


@cache
def _counting(dialect: str) -> Executable:
    return _one_more(dialect).returning(SignupCount.tries)


@cache
def _one_more(dialect: str) -> sqlite.Insert | postgresql.Insert:
    return insert_for(dialect, SignupCount).on_conflict_do_update(
        index_elements=[SignupCount.key, SignupCount.span], set_={"tries": SignupCount.tries + 1}
    )


_HOUR = bindparam("hour", type_=SignupCount.span.type)
#: The hour of the site and the domain, and the day of the network, in one look.
_SO_FAR = union_all(
    select(SignupCount.key, SignupCount.tries).where(
        or_(SignupCount.key == bindparam("site"), SignupCount.key == bindparam("domain")),
        SignupCount.span == _HOUR,
    ),
    select(SignupCount.key, func.sum(SignupCount.tries))
    .where(
        SignupCount.key == bindparam("network"),
        SignupCount.span > bindparam("since", type_=SignupCount.span.type),
    )
    .group_by(SignupCount.key),
)
_HOURS = select(SignupCount.tries).where(
    SignupCount.key == bindparam("its_key"),
    SignupCount.span > bindparam("since", type_=SignupCount.span.type),
    SignupCount.span < bindparam("before", type_=SignupCount.span.type),
)


def _usual(session: Session, key: str, now: datetime) -> int:
    """Return the median of the last week's hours, this one left out."""
    span = {"its_key": key, "since": now - WEEK, "before": _hour(now)}
    return _median(list(session.connection().scalars(_HOURS, span)), hours=7 * 24)


def _median(counted: Sequence[int], hours: int) -> int:
    # Hours in which nobody came have no row.
    quiet = max(0, hours - len(counted))
    return sorted([0] * quiet + list(counted))[hours // 2]
