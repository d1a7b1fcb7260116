"""How many mails one address is sent on request: what protects the person behind it, whoever asks.

The outbox is the count: a mail's key names the person, the day and its number, and is unique.
"""

from datetime import datetime, timedelta
from itertools import chain

from sqlalchemy.orm import Session

from blog.delivery import outbox
from blog.subscribers.models import Status

COOLDOWN = timedelta(minutes=10)
DAY = timedelta(days=1)
MOST_A_DAY = 3
UNANSWERED_DAYS = 30
MOST_UNANSWERED = 5


def free_key(session: Session, public_id: str, status: str, now: datetime) -> str | None:
    """Return the outbox key of this person's next mail; None if there have been enough.

    Three in 24 hours; and five in 30 days for one who has never pressed the button in any of them.
    """
    month = [keys(public_id, now - DAY * number) for number in range(UNANSWERED_DAYS + 1)]
    asked = outbox.times_added(session, chain(*month), now - DAY * UNANSWERED_DAYS)
    used = {key for key, at in asked.items() if at > now - DAY}
    unanswered = status == Status.PENDING and len(asked) >= MOST_UNANSWERED
    if len(used) >= MOST_A_DAY or unanswered:
        return None
    return next((key for key in month[0] if key not in used), None)


def keys(public_id: str, day: datetime) -> list[str]:
    """Return the keys that a person's mails of one day can have."""
    # By the public id: the database may give the number of a purged row to somebody else.
    date = day.date().isoformat()
    return [f"signup:{public_id}:{date}:{number}" for number in range(MOST_A_DAY)]
