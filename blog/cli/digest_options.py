"""Options that several commands about digests share."""

from datetime import UTC, datetime

import click

from blog.subscribers.models import Cadence


def cadences() -> list[str]:
    """Return the cadences as they are typed."""
    return [cadence.value for cadence in Cadence]


def moment(text: str | None) -> datetime | None:
    """Read a moment; one without a zone is UTC."""
    if text is None:
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise click.UsageError(f"--at {text!r} is no ISO 8601 time; use 2026-11-27T09:00+01:00") from None
    return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)


at_option = click.option(
    "--at",
    metavar="ISO-8601",
    callback=lambda _context, _option, text: moment(text),
    help="As of this moment instead of now, such as 2026-11-27T09:00+01:00.",
)
