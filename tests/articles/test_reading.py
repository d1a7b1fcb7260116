"""What pages ask of the index."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import event
from sqlalchemy.exc import SQLAlchemyError

from blog.articles import reading
from blog.articles.models import Article
from blog.articles.reading import TopicCount
from blog.db import Database
from tests.articles.files import BEFORE, NOW, article_file, synced

SOON = NOW + timedelta(days=1)


def publish(database: Database) -> None:
    """Publish two articles among others that readers must not see."""
    synced(
        database,
        article_file("old", topics=["x", "y"], topic_names={"x": "X", "y": "Why"}),
        article_file("new", topics=["x"], topic_names={"x": "X"}, published_at=BEFORE + timedelta(days=1)),
        article_file("draft", topics=["x"], status="draft"),
        article_file("hidden", topics=["x"], status="hidden"),
        article_file("later", topics=["z"], published_at=SOON),
        article_file("expired", topics=["x"], expires_at=BEFORE),
        now=NOW,
    )


def slugs(articles: list[Article]) -> list[str]:
    return [article.slug for article in articles]


def test_only_live_articles_are_ever_answered(database: Database) -> None:
    publish(database)
    with database.reading() as session:
        assert slugs(reading.all_live(session, NOW)) == ["new", "old"]
        assert slugs(reading.latest(session, NOW, 1)) == ["new"]
        assert slugs(reading.in_topic(session, "x", NOW)) == ["new", "old"]
        assert slugs(reading.in_topic(session, "x", NOW, limit=1)) == ["new"]
        assert slugs(reading.in_topic(session, "z", NOW)) == []
        for slug in ("draft", "hidden", "later", "expired", "nowhere"):
            assert reading.article(session, slug, NOW) is None
        assert reading.article(session, "later", SOON) is not None


def test_topics_are_counted_and_named_as_articles_write_them(database: Database) -> None:
    publish(database)
    newest = BEFORE + timedelta(days=1)
    with database.reading() as session:
        assert reading.topics(session, NOW) == [
            TopicCount("x", "X", 2, newest),
            TopicCount("y", "Why", 1, BEFORE),
        ]


def test_lists_do_not_load_the_texts(database: Database) -> None:
    publish(database)
    with database.reading() as session:
        listed = reading.all_live(session, NOW)[0]
    with database.reading() as session:
        whole = reading.latest(session, NOW, 1)[0]
    assert [topic.topic for topic in listed.topics] == ["x"]
    assert whole.html
    with pytest.raises(SQLAlchemyError):
        _ = listed.html


def test_a_wrong_address_brings_suggestions(database: Database) -> None:
    names = ("swift-3-0-released", "queues-and-backpressure", "a-quiet-queue")
    synced(database, *(article_file(name) for name in names), article_file("quiet-queue", status="draft"))
    with database.reading() as session:
        assert slugs(reading.suggestions(session, "swift-3.0-released", NOW)) == ["swift-3-0-released"]
        assert slugs(reading.suggestions(session, "quiet-queues", NOW)) == ["a-quiet-queue"]
        assert reading.suggestions(session, "zzzz", NOW) == []
        assert reading.suggestions(session, "x" * 100_000, NOW) == []


def test_what_was_never_readable_is_not_gone(database: Database) -> None:
    publish(database)
    with database.reading() as session:
        assert reading.gone(session, "expired", NOW)
        assert not any(reading.gone(session, slug, NOW) for slug in ("draft", "later", "old", "nowhere"))
        assert reading.gone(session, "expired")


def test_an_empty_index_answers_too(database: Database) -> None:
    with database.reading() as session:
        assert reading.all_live(session, NOW) == []
        assert reading.topics(session, NOW) == []
        assert reading.pages(session) == []
        assert reading.page(session, "about") is None
        assert reading.version(session) == ""


@pytest.mark.sqlite
def test_topics_are_counted_without_reading_through_the_texts(database: Database) -> None:
    plans: list[str] = []

    def explain(connection: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        if statement.startswith("SELECT article_topics.topic"):
            plan = connection.connection.driver_connection.execute(
                f"EXPLAIN QUERY PLAN {statement}", [str(value) for value in parameters]
            )
            plans.extend(row[3] for row in plan)

    with database.reading() as session:
        event.listen(session.connection(), "before_cursor_execute", explain)
        reading.topics(session, NOW)
    assert any("articles USING COVERING INDEX ix_articles_live" in plan for plan in plans), plans
