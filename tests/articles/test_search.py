"""Search finds the same on both databases, and only what a reader can open."""

import random
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, func, select, text, update

from blog.articles import search_texts
from blog.articles.folding import LONGEST_WORD, MOST_WORDS
from blog.articles.models import Article, SearchPairs, SearchText, SearchWord
from blog.articles.pairs import COMMON, LONGEST_COMMON, MOST_COMMON, mark, unmarked
from blog.articles.search import RANKED, Found, search
from blog.articles.sync import sync
from blog.db import Database
from tests.articles.files import BEFORE, NOW, article_file, library, synced

PROSE = "A slow consumer tells the producer to wait. "


def find(database: Database, query: str, **options: Any) -> Found:
    with database.reading() as session:
        return search(session, query, options.pop("now", NOW), **options)


def slugs(found: Found) -> list[str]:
    return [result.article.slug for result in found.results]


def marks(pieces: Sequence[tuple[str, bool]]) -> list[str]:
    return [text for text, is_hit in pieces if is_hit]


def publish(database: Database) -> None:
    synced(
        database,
        article_file("in-the-title", PROSE, title="Backpressure explained"),
        article_file("in-a-heading", PROSE * 2, headings=["On backpressure"], topics=["queues"]),
        article_file("in-the-text", PROSE * 3 + "They call it backpressure."),
        article_file("cafe", "Ein Straßencafé in São Paulo, 東京都に行く。 Привет, мир!", title="Das Café"),
    )


def test_the_title_counts_most_then_headings_then_the_text(database: Database) -> None:
    publish(database)
    found = find(database, "backpressure")
    assert slugs(found) == ["in-the-title", "in-a-heading", "in-the-text"]
    assert (found.total, found.suggestion) == (3, None)
    assert slugs(find(database, "Queues")) == ["in-a-heading"]


@pytest.mark.parametrize("said", ["Prose.", "Of queues."])
def test_a_word_that_is_a_topic_counts_more_than_one_the_text_says_once_or_twice(
    database: Database, said: str
) -> None:
    old = BEFORE - timedelta(days=900)
    newer = [
        article_file(f"new-{number:02}", "Of queues. " * (number % 2 + 1)) for number in range(RANKED + 9)
    ]
    synced(database, *newer, article_file("about-it", said, topics=["queues"], published_at=old))
    found = find(database, "queues", limit=2)
    assert slugs(found)[0] == "about-it"
    assert found.total == len(newer) + 1


@pytest.mark.parametrize(
    "query",
    ["CAFE", "café", "cafe\u0301", "sao paulo", "straßencafé", "東京", "京都", "都", "東京都に", "ПРИВЕТ"],
)
def test_case_accents_and_script_make_no_difference(database: Database, query: str) -> None:
    publish(database)
    found = find(database, query)
    assert slugs(found) == ["cafe"]
    assert marks(found.results[0].snippet) or marks(found.results[0].title)


def test_all_words_are_needed_the_last_may_have_only_begun_and_quotes_keep_words_together(
    database: Database,
) -> None:
    publish(database)
    assert find(database, "slow backpres").total == 3
    assert find(database, "backpres slow").total == 0
    assert find(database, '"the producer"').total == 3
    assert find(database, '"producer the"').total == 0
    assert find(database, "“slow consumer” call").total == 1
    # A phrase never reaches from the title into the text.
    assert find(database, '"explained a"').total == 0


@pytest.mark.parametrize("often", [1, COMMON + 1])
def test_of_more_than_are_ranked_those_with_the_phrase_in_title_or_headings_are_never_left_out(
    database: Database, often: int
) -> None:
    said = "The slow consumer waits. " * often
    newer = [article_file(f"new-{number}", f"{said} {number}") for number in range(RANKED + 9)]
    apart = article_file("apart", "A slow and patient consumer.", title="Slow, not consumer")
    long_ago = BEFORE - timedelta(days=300)
    titled = article_file("titled", said, title="Slow consumer", published_at=long_ago)
    headed = article_file("headed", said, headings=["On a slow consumer"], published_at=long_ago)
    synced(database, *newer, apart, titled, headed)
    found = find(database, '"slow consumer"')
    assert slugs(found)[:2] == ["titled", "headed"]
    assert found.total == len(newer) + 2
    pages = [slugs(find(database, '"slow consumer"', offset=offset)) for offset in range(0, 80, 20)]
    assert len({slug for page in pages for slug in page} - {"apart"}) == found.total


def test_only_an_index_that_knows_no_places_is_told_which_words_stand_side_by_side(
    database: Database,
) -> None:
    publish(database)
    with database.reading() as session:
        assert (session.scalar(select(func.count(SearchPairs.article_id))) == 0) == database.is_sqlite
    synced(database, article_file("cafe", "Ein anderes Wort.", title="Das Café"))
    assert find(database, '"anderes wort"').total == 1


def test_what_is_not_live_at_the_moment_of_asking_is_never_found_nor_suggested(database: Database) -> None:
    soon = NOW + timedelta(days=1)
    synced(
        database,
        article_file("draft", "zanzibar", status="draft"),
        article_file("hidden", "zanzibar", status="hidden"),
        article_file("later", "zanzibar", published_at=soon),
        article_file("gone-later", "zanzibar", expires_at=soon),
    )
    assert slugs(find(database, "zanzibar")) == ["gone-later"]
    assert slugs(find(database, "zanzibar", now=soon)) == ["later"]
    assert find(database, "zanzibr").suggestion == "zanzibar"
    synced(database, article_file("draft", "zanzibar", status="draft"), article_file("other", "words"))
    assert find(database, "zanzibar").total == 0
    assert find(database, "zanzibr").suggestion is None


def test_a_slip_is_answered_with_what_was_probably_meant(database: Database) -> None:
    publish(database)
    for slip in ("backpresure", "bakcpressure", "backpressurre", "backprezzure", "vackpressure"):
        found = find(database, f"slow {slip}")
        assert (found.total, found.suggestion) == (0, "slow backpressure"), slip
    assert find(database, "qqqqqqqqqq").suggestion is None
    assert find(database, "explained consumer producer call").suggestion is None


def test_a_word_written_with_a_hyphen_is_found_without_it_too(database: Database) -> None:
    synced(database, article_file("a", "On back-pressure."))
    for query in ("back-pressure", "backpressure", "back pressure"):
        assert slugs(find(database, query)) == ["a"]
    assert find(database, "backpresure").suggestion == "backpressure"


def test_hits_are_data_with_their_accents_and_the_text_around_them(database: Database) -> None:
    synced(database, article_file("a", "word " * 200 + "the <b>Café</b> is here " + "more " * 200))
    (result,) = find(database, "cafe").results
    assert marks(result.snippet) == ["Café"]
    text = "".join(piece for piece, _ in result.snippet)
    assert "the <b>Café</b> is here" in text
    assert text.startswith("…")
    assert text.endswith("…")
    assert len(text) < 240


def test_pages_of_results_neither_repeat_nor_lose_an_article(database: Database) -> None:
    synced(
        database,
        *(
            article_file(f"a{n:03}", f"common {'rare ' * (n % 7)}", published_at=BEFORE + timedelta(hours=n))
            for n in range(130)
        ),
    )
    pages = [find(database, "common", limit=20, offset=start) for start in range(0, 140, 20)]
    seen = [slug for page in pages for slug in slugs(page)]
    assert len(seen) == len(set(seen)) == 130
    assert {page.total for page in pages} == {130}
    assert slugs(find(database, "common", offset=10_000)) == []


@pytest.mark.parametrize("query", ["common word", '"common word"'])
def test_of_many_the_ones_with_the_words_in_title_or_headings_are_first_however_old(
    database: Database, query: str
) -> None:
    old = BEFORE - timedelta(days=900)
    synced(
        database,
        *(
            article_file(f"a{n:03}", "A common word.", published_at=BEFORE + timedelta(hours=n))
            for n in range(100)
        ),
        article_file("in-the-title", "Prose.", title="A common word", published_at=old),
        article_file("in-a-heading", "Prose.", headings=["The common word"], published_at=old),
        article_file("draft", "Prose.", title="A common word", status="draft"),
    )
    found = find(database, query, limit=3)
    assert slugs(found) == ["in-the-title", "in-a-heading", "a099"]
    assert found.total == 102


def test_the_text_is_updated_in_the_transaction_of_the_sync(database: Database) -> None:
    synced(database, article_file("a", "first wording"))
    with pytest.raises(RuntimeError), database.transaction() as session:
        sync(session, library(article_file("a", "second wording")), NOW)
        assert search(session, "second", NOW).total == 1
        raise RuntimeError
    assert find(database, "first").total == 1
    synced(database, article_file("a", "second wording"))
    assert (find(database, "first").total, find(database, "second").total) == (0, 1)
    with database.reading() as session:
        assert dict(session.execute(select(SearchWord.word, SearchWord.articles)).all()) == {
            "second": 1,
            "wording": 1,
        }


def test_many_texts_at_once_are_found_and_leave_the_index_as_it_merges_by_itself(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search_texts, "MANY", 2)
    synced(database, *(article_file(f"a-{number}", f"common number{number}") for number in range(5)))
    assert find(database, "common").total == 5
    if database.is_sqlite:
        with database.reading() as session:
            kept = session.execute(text("SELECT v FROM search_index_config WHERE k = 'automerge'"))
            assert kept.scalar() == search_texts.PARTS


def test_what_older_code_has_synced_is_caught_up_with_by_the_next_sync(database: Database) -> None:
    file, other = article_file("a", "first wording"), article_file("b", "other wording")
    synced(database, file, other)
    with database.transaction() as session:
        # The older code changes the article and knows nothing of its search text; another it has just added.
        session.execute(
            update(Article).where(Article.slug == "a").values(text="changed since", rendered_hash="1" * 64)
        )
        session.execute(delete(SearchText).where(SearchText.article_id > 1))
    assert find(database, "other").total == 0
    synced(database, file, other)
    assert slugs(find(database, "first")) == ["a"]
    assert slugs(find(database, "other")) == ["b"]


def test_a_phrase_is_found_in_what_older_code_has_written_and_left_a_former_picture_of(
    database: Database,
) -> None:
    synced(database, article_file("a", "first wording"))
    with database.transaction() as session:
        session.execute(update(SearchText).values(body="quite other wording", made_from="1:of before"))
        assert search(session, '"quite other"', NOW).total == 1
        assert search(session, '"other quite"', NOW).total == 0


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(said=st.lists(st.sampled_from(["a", "b", "c", "東京", "d"]), min_size=2, max_size=30), data=st.data())
def test_every_phrase_of_a_text_is_found_and_none_that_it_lacks(
    database: Database, said: list[str], data: st.DataObject
) -> None:
    synced(database, article_file("a", " ".join(said), title="T", description=""))
    start = data.draw(st.integers(0, len(said) - 2))
    end = data.draw(st.integers(start + 2, len(said)))
    assert find(database, f'"{" ".join(said[start:end])}"').total == 1
    swapped = ["d", "d", *said[start:end], "d", "d"]
    assert find(database, f'"{" ".join(swapped)}"').total == (" ".join(swapped) in " ".join(said))


def test_what_a_text_says_often_is_marked_for_the_index_and_counts_as_no_word(database: Database) -> None:
    for said in ("one two " * COMMON + "three", "two four " * COMMON + "five"):
        synced(database, article_file("a", said, title="T", description=""))
        with database.reading() as session:
            counted = dict(session.execute(select(SearchWord.word, SearchWord.articles)).all())
            assert counted == dict.fromkeys(said.split(), 1)
            (body,) = session.scalars(select(SearchText.body))
        assert (mark(*said.split()[:2]) in body) == (not database.is_sqlite)
        assert unmarked(body) == f"t ¶ {said}"
        assert find(database, f'"{said}"').total == 1


def test_the_longest_text_fits_into_the_index_with_its_marks(database: Database) -> None:
    often = [f"{number:02}".ljust(LONGEST_COMMON, "x") for number in range(MOST_COMMON)]
    chance = random.Random(1)
    rare = [f"{number}".ljust(LONGEST_WORD, "y") for number in range(MOST_WORDS - 6_000)]
    said = [*rare, *chance.choices(often, k=6_000)]
    synced(database, article_file("a", " ".join(said), title="T", description=""))
    assert find(database, f'"{" ".join(said[-2:])}"').total == 1


HOSTILE = st.one_of(
    st.text(max_size=300),
    st.lists(
        st.sampled_from(
            [
                *"\"“”*():^-+&|!<>'\\;,.%_{}[]$",
                "AND",
                "NOT",
                "NEAR(",
                "title:",
                "\0",
                "😀",
                "a",
                "東京",
                "slow",
                " ",
            ]
        ),
        max_size=60,
    ).map("".join),
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@example("a" * 10_000)
@example('"' * 10_000)
@example("slow' OR 1=1; DROP TABLE articles; --")
@example("x AND NOT {title} : NEAR(a b, 2)*")
@example("\0\ud800 \u0301 ﷺ ½ ß İ")
@given(query=HOSTILE)
def test_nothing_that_is_typed_is_ever_an_error(database: Database, query: str) -> None:
    found = find(database, query)
    for result in found.results:
        assert "".join(piece for piece, _ in result.title) == result.article.title


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=st.text(max_size=200), query=st.text(min_size=1, max_size=20))
def test_any_text_can_be_published_and_found_by_its_own_words(
    database: Database, text: str, query: str
) -> None:
    text = text.replace("\0", " ").encode("utf-8", "ignore").decode()
    synced(database, article_file("a", text, title=text.strip() or "A"))
    found = find(database, " ".join(text.split()[:1]))
    assert found.total <= 1
    find(database, query)
