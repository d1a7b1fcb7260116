"""Related articles: who is shown, in which order, and why."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from blog.articles import reading, related, shown
from blog.articles.choosing import STORED, Document, Neighbour
from blog.articles.related import Cards, Material, compared
from blog.articles.terms import Counted, counted
from blog.db import Database
from tests.articles.files import BEFORE, NOW, article_file, synced

QUEUES = "Queues need backpressure, or the backlog of jobs grows and every worker drowns."
QUEUES_TOO = "A worker that refuses jobs applies backpressure to its queues."
BREAD = "Sourdough bread wants flour, patience and a warm kitchen."
BREAD_TOO = "The kitchen smells of bread when the flour is fresh sourdough."


@dataclass(frozen=True)
class Written:
    """A document and its words."""

    document: Document
    words: Counted


def document(number: int, text: str = "", title: str = "", **overrides: object) -> Written:
    base = Document(number, BEFORE - timedelta(days=number))
    words = counted(title or f"No{number}", (), text)
    return Written(replace(base, **overrides), words)  # type: ignore[arg-type]


def neighbours(texts: Sequence[Written], names: dict[str, str] | None = None) -> Cards:
    ordered = sorted(texts, key=lambda item: item.document.id)
    material = Material([item.document for item in ordered], names or {}, set())
    space, numbers = compared(material.documents, {item.document.id: item.words for item in ordered}, None)
    return related.neighbours(material, space, numbers)


def cards(*texts: Written, names: dict[str, str] | None = None) -> list[Neighbour]:
    """Return the cards of the first document."""
    return neighbours(texts, names)[texts[0].document.id]


def ids(found: list[Neighbour]) -> list[int]:
    return [card.id for card in found]


def test_alike_texts_are_related_and_the_reason_names_what_they_share() -> None:
    found = cards(document(1, QUEUES), document(2, BREAD), document(3, QUEUES_TOO), document(4, BREAD_TOO))
    assert ids(found) == [3]
    assert found[0].kind == "related"
    assert found[0].reason.startswith("shares ")
    shared = found[0].reason.removeprefix("shares ").split(", ")
    assert 2 <= len(shared) <= 3
    assert all(word in QUEUES.lower() and word in QUEUES_TOO.lower() for word in shared)


def test_hand_picked_articles_come_first_in_their_order() -> None:
    first = document(1, QUEUES, pinned=(4, 2, 99, 1))
    found = cards(first, document(2, BREAD), document(3, QUEUES_TOO), document(4, BREAD_TOO))
    assert ids(found) == [4, 2, 3]
    assert [card.kind for card in found] == ["pinned", "pinned", "related"]


def test_an_article_that_is_not_shown_yet_is_no_card_but_has_some() -> None:
    later = document(3, QUEUES_TOO, shown=False)
    assert ids(cards(document(1, QUEUES), document(2, QUEUES_TOO), later)) == [2]
    assert set(ids(cards(later, document(1, QUEUES), document(2, QUEUES_TOO)))) == {1, 2}


def test_other_languages_are_not_mixed() -> None:
    german = document(2, QUEUES_TOO, language="de", topics=("x",))
    british = document(3, QUEUES_TOO, language="en-GB")
    assert ids(cards(document(1, QUEUES, topics=("x",)), german, british)) == [3]


def test_a_series_has_one_card_at_most() -> None:
    parts = [document(number, QUEUES_TOO, series="Quiet") for number in (2, 3, 4)]
    assert len(cards(document(1, QUEUES, series="Quiet"), *parts)) == 1


def test_two_of_the_first_three_may_be_by_one_author() -> None:
    mara = [document(number, QUEUES, authors=("Mara",)) for number in (2, 3, 4, 5)]
    teo = document(6, QUEUES, authors=("Teo",))
    found = ids(cards(document(1, QUEUES, authors=("Mara",)), *mara, teo))
    assert 6 in found[:3]
    assert len(found) == STORED


def test_where_nothing_is_alike_the_newest_of_the_topic_fill_in() -> None:
    bread = [document(number, BREAD, topics=("food",)) for number in (2, 3)]
    alone = document(1, "Zebras wander.", topics=("food", "animals"))
    found = cards(alone, *bread, document(4, topics=("animals",)), names={"food": "Food"})
    assert [(card.id, card.kind, card.reason) for card in found] == [
        (2, "topic", "More on Food"),
        (3, "topic", "More on Food"),
        (4, "topic", "More on animals"),
    ]


def test_among_equals_the_nearer_in_time_comes_first() -> None:
    near, far = document(2, QUEUES_TOO), document(3, QUEUES_TOO, published_at=BEFORE - timedelta(days=900))
    assert ids(cards(document(1, QUEUES), far, near)) == [2, 3]


def test_the_same_articles_always_give_the_same_cards() -> None:
    texts = (QUEUES, BREAD, QUEUES_TOO, BREAD_TOO)
    documents = [document(number, texts[number % 4], topics=(f"t{number % 3}",)) for number in range(30)]
    assert neighbours(documents, {}) == neighbours(documents[::-1], {})


def test_a_small_library_is_no_trouble() -> None:
    assert neighbours([], {}) == {}
    assert cards(document(1, QUEUES)) == []
    assert cards(document(1, QUEUES), document(2, BREAD)) == []
    assert cards(document(1), document(2)) == []


def test_no_article_is_related_to_itself_or_shown_twice() -> None:
    documents = [document(number, QUEUES, topics=("t",), pinned=(1, 2)) for number in range(12)]
    for number, found in neighbours(documents, {}).items():
        assert number not in ids(found)
        assert len(set(ids(found))) == len(found) == STORED


def test_empty_words_explain_nothing() -> None:
    assert (
        cards(document(1, "This would have been about when"), document(2, "Would this about been when")) == []
    )


def test_a_word_is_shown_as_it_is_written_and_once() -> None:
    (card,) = cards(document(1, "SQLite stores rows. Rows."), document(2, "Use SQLite for rows. A row."))
    assert card.reason == "shares rows, SQLite"


def test_code_is_not_compared_but_titles_weigh_three_times() -> None:
    one = document(1, "Bread and queues.", title="Queues")
    found = cards(one, document(2, "All of it is bread."), document(3, "All of it is queues."))
    assert ids(found)[0] == 3


def test_they_are_stored_and_answered_with_their_reasons(database: Database) -> None:
    synced(
        database,
        article_file("one", QUEUES, pinned=["bread", "unknown"]),
        article_file("two", QUEUES_TOO),
        article_file("bread", BREAD),
        article_file("draft", QUEUES, status="draft"),
        article_file("later", QUEUES, published_at=NOW + timedelta(days=1)),
    )
    with database.reading() as session:
        article = reading.article(session, "one", NOW)
        assert article
        found = shown.cards(session, [article], NOW)[article.id]
        assert [(card.article.slug, card.kind) for card in found] == [("bread", "pinned"), ("two", "related")]
        assert found[1].reason.startswith("shares ")
        assert reading.related_slugs(session, NOW) == {"one": ["bread", "two"], "two": ["one"], "bread": []}
        assert len(shown.cards(session, [article], NOW, limit=1)[article.id]) == 1


def test_what_has_vanished_since_is_not_shown(database: Database) -> None:
    expiring = article_file("two", QUEUES_TOO, expires_at=NOW + timedelta(days=1))
    synced(database, article_file("one", QUEUES), expiring)
    with database.reading() as session:
        article = reading.article(session, "one", NOW)
        assert article
        assert shown.cards(session, [article], NOW)[article.id]
        assert shown.cards(session, [article], NOW + timedelta(days=2))[article.id] == []


def test_they_are_worked_out_anew_when_content_changes(database: Database) -> None:
    synced(database, article_file("one", QUEUES), article_file("bread", BREAD))
    synced(
        database, article_file("one", QUEUES), article_file("bread", BREAD), article_file("two", QUEUES_TOO)
    )
    with database.reading() as session:
        assert reading.related_slugs(session, NOW)["one"] == ["two"]


def test_a_picked_article_is_found_by_a_name_it_once_had(database: Database) -> None:
    one = article_file("one", BREAD, pinned=["two"])
    synced(database, one, article_file("two", QUEUES))
    synced(database, one, article_file("renamed", QUEUES, source="articles/two.md"))
    with database.reading() as session:
        assert reading.related_slugs(session, NOW)["one"] == ["renamed"]
