"""How many mails one address is sent on request: what protects the person behind it, whoever asks.

The outbox is the count: a mail's key names the person, the day and its number, and is unique.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from blog.delivery import outbox
from blog.subscribers.models import Status, Subscriber

COOLDOWN = timedelta(minutes=10)
DAY = timedelta(days=1)
MOST_A_DAY = 3
UNANSWERED_DAYS = 30
MOST_UNANSWERED = 5


def free_key(session: Session, subscriber: Subscriber, now: datetime) -> str | None:
    """Return the outbox key of this person's next mail; None if there have been enough.

    Three in 24 hours; and five in 30 days for one who has never pressed the button in any of them.
    """
    today = keys(subscriber, now)
    used = outbox.added_since(session, [*keys(subscriber, now - DAY), *today], now - DAY)
    month = (now - DAY * number for number in range(UNANSWERED_DAYS + 1))
    asked = outbox.added_since(session, _all(subscriber, month), now - DAY * UNANSWERED_DAYS)
    unanswered = subscriber.status == Status.PENDING and len(asked) >= MOST_UNANSWERED
    if len(used) >= MOST_A_DAY or unanswered:
        return None
    return next((key for key in today if key not in used), None)


def keys(subscriber: Subscriber, day: datetime) -> list[str]:
    """Return the keys that a person's mails of one day can have."""
    # By the public id: the database may give the number of a purged row to somebody else.
    return [f"signup:{subscriber.public_id}:{day:%Y-%m-%d}:{number}" for number in range(MOST_A_DAY)]


def _all(subscriber: Subscriber, days: Iterable[datetime]) -> list[str]:
    return [key for day in days for key in keys(subscriber, day)]
