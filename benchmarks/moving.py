"""How fast a whole database moves: `blog db move` from SQLite to PostgreSQL, and back.

    make bench        or    python -m benchmarks.moving --people 100000

Each subscriber has an entry in the record of consent and a delivery. The limit beside it is PostgreSQL's own
COPY of the very same rows, from a file, into tables with the very same indexes, with nothing compared.
"""

import argparse
import io
import time
from datetime import UTC, datetime

from sqlalchemy import insert

from benchmarks.findings import Finding, tell
from benchmarks.search import databases
from blog import migrate, transfer
from blog.db import Database
from blog.delivery.models import Delivery, Mailing, Variant
from blog.subscribers.models import ConsentEvent, Subscriber

NOW = datetime(2026, 1, 1, tzinfo=UTC)
AT_ONCE = 5_000


def main(people: int) -> None:
    """Move there and back, and say how many rows a second each way took."""
    with databases() as found:
        sqlite, postgresql = found["SQLite"], found["PostgreSQL"]
        for database in found.values():
            migrate.upgrade(database)
        _fill(sqlite, people)
        there, rows = _moved(sqlite, postgresql)
        limit = _copied_by_postgresql(postgresql)
        other = Database(f"{sqlite.url}.back")
        migrate.upgrade(other)
        back, _ = _moved(postgresql, other)
        other.dispose()
        copy = "COPY, compared with nothing", rows / limit
        there_to = f"{rows:,} rows moved, SQLite to PostgreSQL"
        tell(Finding(there_to, rows / there, "rows/s", *copy, at_least=10_000))
        tell(Finding(f"{rows:,} rows moved, PostgreSQL to SQLite", rows / back, "rows/s", *copy))


def _fill(database: Database, people: int) -> None:
    with database.transaction() as session:
        session.execute(
            insert(Mailing),
            [
                {
                    "id": 1,
                    "kind": "digest",
                    "state": "done",
                    "envelope_from": "b@example.org",
                    "created_at": NOW,
                }
            ],
        )
        session.execute(
            insert(Variant), [{"id": 1, "mailing_id": 1, "key": "all", "template": b"x" * 40_000}]
        )
        for start in range(0, people, AT_ONCE):
            numbers = range(start + 1, min(start + AT_ONCE, people) + 1)
            session.execute(insert(Subscriber), [_person(number) for number in numbers])
            session.execute(insert(ConsentEvent), [_event(number) for number in numbers])
            session.execute(insert(Delivery), [_delivery(number) for number in numbers])


def _person(number: int) -> dict[str, object]:
    address = f"reader{number}@mail{number % 97}.example.org"
    return {
        "id": number, "public_id": f"{number:032x}", "email": address, "address": address,
        "address_key": address, "address_hash": f"{number:064x}", "status": "active", "cadence": "weekly",
        "topics": "systems", "timezone": "Europe/Berlin", "language": "en", "nonce": f"{number:032x}",
        "created_at": NOW, "confirmed_at": NOW,
    }  # fmt: skip


def _event(number: int) -> dict[str, object]:
    return {
        "id": number, "subscriber_id": number, "event": "confirmed", "method": "form", "at": NOW,
        "wording": f"{number:064x}", "network": "192.0.2.0/24", "details": {"page": "/subscribe"},
    }  # fmt: skip


def _delivery(number: int) -> dict[str, object]:
    return {
        "id": number, "mailing_id": 1, "variant_id": 1, "recipient_id": number, "public_id": f"{number:032x}",
        "address": f"reader{number}@example.org", "address_hash": f"{number:064x}",
        "message_id": f"<{number}@news.example.org>", "state": "accepted", "next_at": NOW, "updated_at": NOW,
        "reply": "250 2.0.0 Ok: queued", "attempts": 1, "unknowns": 0,
    }  # fmt: skip


def _moved(source: Database, target: Database) -> tuple[float, int]:
    started = time.perf_counter()
    sums = transfer.move(source, target)
    return time.perf_counter() - started, sum(found.rows for found in sums.values())


def _copied_by_postgresql(database: Database) -> float:
    """Write every table out, empty it, and time how long reading it in again takes."""
    with database.engine.connect() as connection:
        driver = connection.connection.driver_connection
        assert driver is not None
        written = {}
        with driver.cursor() as cursor:
            for table in transfer.TABLES:
                with cursor.copy(f'COPY "{table.name}" TO STDOUT') as out:
                    written[table.name] = io.BytesIO(b"".join(out))
            cursor.execute("TRUNCATE " + ", ".join(f'"{name}"' for name in written))
            started = time.perf_counter()
            for name, rows in written.items():
                with cursor.copy(f'COPY "{name}" FROM STDIN') as copy:
                    while block := rows.read(65536):
                        copy.write(block)
            driver.commit()
        return time.perf_counter() - started


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--people", type=int, default=100_000)
    main(parser.parse_args().people)
