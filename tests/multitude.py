"""Very many rows, made by the database itself in seconds: for tests of its plans, and for benchmarks."""

from collections.abc import Mapping

from sqlalchemy import bindparam, text
from sqlalchemy.orm import Session

from blog import clock
from blog.articles.search_texts import EDITIONS
from blog.db import Database, UTCDateTime

TOPICS = 20
NUMBERS = {
    "sqlite": "WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < :many)",
    "postgresql": "WITH numbers AS (SELECT generate_series(1, :many) AS n)",
}
PADDED = {"sqlite": "printf('%064d', n)", "postgresql": "lpad(n::text, 64, '0')"}
#: One an hour, the last one an hour ago.
HOURS_AGO = {
    "sqlite": "strftime('%Y-%m-%d %H:%M:%S.000000', :now, '-' || n || ' hours')",
    "postgresql": "CAST(:now AS timestamptz) - n * interval '1 hour'",
}
#: Pictures in which every pair is: a phrase has the texts read.
ALL_PAIRS = {"sqlite": "x'ff', x'ff'", "postgresql": "decode('ff', 'hex'), decode('ff', 'hex')"}
ADDRESS = "'reader' || n || '@example.org'"
EVERY = "FROM articles WHERE slug LIKE 'many-%'"
TOPIC = f"CASE WHEN id % {TOPICS} < 10 THEN 'topic-0' ELSE 'topic-' END || (id % {TOPICS})"


class Maker:
    """Stores rows by the thousand, each made from its number `n`."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._kind = "sqlite" if database.is_sqlite else "postgresql"
        self._padded = PADDED[self._kind]

    def people(self, many: int, topics: int = TOPICS) -> None:
        """Store active readers, each of whom follows all topics, one or two of them."""
        slugs = [f"topic-{number:02}" for number in range(topics)]
        pairs = [sorted({one, two}) for one in slugs for two in slugs]
        followed = ["" if place % 5 < 2 else ",".join(pair) for place, pair in enumerate(pairs)]
        number = self._padded
        columns = {
            "public_id": f"substr({number}, 33)", "email": ADDRESS, "address": ADDRESS,
            "address_key": ADDRESS, "address_hash": number, "status": "'active'", "cadence": "'weekly'",
            "topics": "many_topics.topics",
            "timezone": "'Europe/Berlin'", "language": "'en'", "nonce": f"substr({number}, 33)",
            "created_at": ":now", "confirmed_at": ":now",
        }  # fmt: skip
        with self._database.transaction() as session:
            session.execute(text("CREATE TABLE many_topics (place INTEGER PRIMARY KEY, topics TEXT)"))
            session.execute(
                text("INSERT INTO many_topics VALUES (:place, :topics)"),
                [{"place": place, "topics": each} for place, each in enumerate(followed)],
            )
            source = f"numbers JOIN many_topics ON place = n % {len(followed)}"
            self._store(session, "subscribers", many, columns, source)
            session.execute(text("DROP TABLE many_topics"))

    def consent(self, many: int) -> None:
        """Store two events in the record of each of the first readers."""
        for event in ("'requested'", "'confirmed'"):
            self._put("consent_events", many, {
                "subscriber_id": "n", "event": event, "method": "'form'", "at": ":now", "wording": "'v1'",
                "network": "'203.0.113.0'", "details": "'{}'",
            })  # fmt: skip

    def deliveries(self, mailing: int, variant: int, state: str, many: int) -> None:
        """Store a mailing's deliveries to the first readers, all in one state."""
        self._put("deliveries", many, {
            "mailing_id": f"{mailing}", "variant_id": f"{variant}", "recipient_id": "n",
            "public_id": f"substr({self._padded}, 33)", "address": ADDRESS, "address_hash": self._padded,
            "message_id": f"'<{mailing}.' || n || '@example.org>'", "state": f"'{state}'", "next_at": ":now",
            "updated_at": ":now",
        })  # fmt: skip

    def letters(self, many: int) -> None:
        """Store single mails that were sent."""
        self._put("outbox", many, {
            "kind": "'confirm'", "subject_id": "n", "dedup_key": "'confirm ' || n",
            "message_id": "'<' || n || '@example.org>'", "state": "'sent'", "next_at": ":now",
            "created_at": ":now", "sent_at": ":now",
        })  # fmt: skip

    def traces(self, mailing: int, many: int) -> None:
        """Store what came back, who is not to be mailed, what was counted, and who moved."""
        stranger = f"'s' || substr({self._padded}, 2)"
        self._put("suppressions", many, {
            "address_hash": stranger, "reason": "'unsubscribed'", "created_at": ":now",
        })  # fmt: skip
        self._put("returned_mails", many, {
            "key": self._padded, "address_hash": stranger, "kind": "'bounce'", "code": "'5.1.1'",
            "door": "'smtp'", "at": ":now",
        })  # fmt: skip
        self._put("signup_counts", many, {"key": stranger, "span": ":now", "tries": "1"})
        self._put("address_changes", many, {
            "subscriber_id": "n", "nonce": "'x'", "old_address": "'o'", "email": ADDRESS, "address": ADDRESS,
            "address_key": ADDRESS, "address_hash": stranger, "created_at": ":now",
        })  # fmt: skip
        self._put("delivery_events", many, {
            "mailing_id": f"{mailing}", "delivery_id": "n", "at": ":now", "event": "'deferred'",
            "words": "'later'",
        })  # fmt: skip

    def articles(self, many: int) -> None:
        """Store articles of a few words, with topics, kin, search texts and former addresses."""
        words, at = "'word' || n || ' common rare' || (n % 997)", HOURS_AGO[self._kind]
        self._put("articles", many, {
            "slug": "'many-' || n", "source": "'articles/many-' || n || '.md'", "content_hash": self._padded,
            "rendered_hash": self._padded, "status": "'published'", "title": words, "description": "'About'",
            "excerpt": "'Beginning'", "html": "'<p>Body</p>'", "text": words, "contents": "'[]'",
            "headings": "'[]'", "authors": "'[]'", "language": "'en'", "pinned": "'[]'", "extra": "'{}'",
            "series": "CASE WHEN n % 50 = 0 THEN 'series-' || (n % 7) END", "words": "900", "minutes": "4",
            "published_at": at, "live_at": at,
        })  # fmt: skip
        statements = (
            f"article_topics (article_id, topic, position) SELECT id, {TOPIC}, 0 {EVERY}",
            "related_articles (article_id, position, related_id, kind, score, reason) "
            f"SELECT id, 0, id, 'text', 0.5, 'both' {EVERY}",
            "search_texts (article_id, made_from, title, keys, body) "
            f"SELECT id, '{EDITIONS[self._kind]}' || rendered_hash, title, title, text {EVERY}",
            f"search_pairs (article_id, keys, body) SELECT id, {ALL_PAIRS[self._kind]} {EVERY}",
            f"first_names (article_id, year, slug) SELECT id, 2020, 'once-' || slug {EVERY}",
            f"redirects (path, article_id) SELECT '/was/' || slug, id {EVERY}",
            f"search_words (word, articles) SELECT 'word' || id, 1 {EVERY}",
        )
        with self._database.transaction() as session:
            for statement in statements:
                session.execute(text(f"INSERT INTO {statement}"))

    def done(self) -> None:
        """Have PostgreSQL look at what it has, as it does by itself after a while."""
        if not self._database.is_sqlite:
            with self._database.engine.connect() as connection:
                connection.execution_options(isolation_level="AUTOCOMMIT").exec_driver_sql("VACUUM ANALYZE")

    def _put(self, table: str, many: int, columns: Mapping[str, str]) -> None:
        with self._database.transaction() as session:
            self._store(session, table, many, columns)

    def _store(
        self, session: Session, table: str, many: int, columns: Mapping[str, str], source: str = "numbers"
    ) -> None:
        names, values = ", ".join(columns), ", ".join(columns.values())
        statement = f"{NUMBERS[self._kind]} INSERT INTO {table} ({names}) SELECT {values} FROM {source}"
        now = [bindparam("now", clock.now(), UTCDateTime)] if ":now" in statement else []
        session.execute(text(statement).bindparams(*now), {"many": many})
