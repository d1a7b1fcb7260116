"""A folder that is suddenly empty is a disk that is not mounted, more often than an author's wish."""

from collections.abc import Collection
from datetime import datetime

from blog.articles.matching import Known
from blog.errors import BlogError

MOST_SHARE, FEW = 0.2, 10


def refuse_mass_removal(known: Collection[Known], gone: Collection[Known], now: datetime) -> None:
    """Raise when at least ten, and more than a fifth, of the articles readers can see would be removed."""
    live, lost = [row for row in known if _is_seen(row, now)], [row for row in gone if _is_seen(row, now)]
    if len(lost) < FEW or len(lost) <= MOST_SHARE * len(live):
        return
    raise BlogError(
        f"the files of {len(lost):,} of {len(live):,} published articles are gone ({lost[0].source}, …); "
        "nothing was changed. Is the content folder complete? To take them offline: blog sync --force"
    )


def _is_seen(row: Known, now: datetime) -> bool:
    return row.removed_at is None and row.live_at is not None and row.live_at <= now
