"""From files to the index: what is added, changed, kept and never made new again."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import func, select

from blog import clock
from blog.articles import reading
from blog.articles.models import Article, ArticleTopic, RelatedArticle
from blog.articles.sync import Changes, sync
from blog.content.library import load
from blog.content.values import PageFile
from blog.db import Database
from tests.articles.files import BEFORE, NOW, article_file, body, synced

NOTHING = Changes([], [], [], 1)
LATER = NOW + timedelta(days=7)


def row(database: Database, slug: str = "a") -> Article:
    with database.reading() as session:
        return session.scalars(select(Article).where(Article.slug == slug)).one()


def live(database: Database, now: datetime = NOW) -> list[str]:
    with database.reading() as session:
        return [article.slug for article in reading.all_live(session, now)]


def version(database: Database) -> str:
    with database.reading() as session:
        return reading.version(session)


def test_a_file_is_published_and_a_second_sync_changes_nothing(database: Database) -> None:
    file = article_file(topics=["b", "a"], topic_names={"a": "A", "b": "B"}, extra={"layout": "post"})
    assert synced(database, file) == Changes(["a"], [], [], 0)
    before = version(database)
    assert synced(database, file, now=LATER) == NOTHING
    assert version(database) == before != ""
    kept = row(database)
    assert kept.title == "A"
    assert [topic.topic for topic in kept.topics] == ["b", "a"]
    assert kept.extra == {"layout": "post", "topic_names": {"a": "A", "b": "B"}}


def test_a_changed_file_keeps_its_row(database: Database) -> None:
    synced(database, article_file(topics=["a"]))
    before, first = version(database), row(database)
    assert synced(database, article_file(text="New", topics=["c"])) == Changes([], ["a"], [], 0)
    after = row(database)
    assert (after.id, after.text, [topic.topic for topic in after.topics]) == (first.id, "New", ["c"])
    assert version(database) != before


def test_the_archive_of_a_first_sync_is_not_news(database: Database) -> None:
    synced(database, article_file())
    assert row(database).live_at == BEFORE
    synced(database, article_file(), article_file("b"))
    assert row(database, "b").live_at == NOW


def test_a_date_change_never_makes_an_article_new(database: Database) -> None:
    synced(database, article_file())
    for date in (NOW - timedelta(hours=1), NOW + timedelta(days=30), BEFORE - timedelta(days=900)):
        synced(database, article_file(published_at=date), now=LATER)
        assert row(database).live_at == BEFORE
        assert row(database).published_at == date


def test_a_scheduled_article_appears_at_its_minute_without_a_sync(database: Database) -> None:
    due = NOW + timedelta(days=2)
    synced(database, article_file(published_at=due))
    assert row(database).live_at == due
    assert live(database, due - timedelta(seconds=1)) == []
    assert live(database, due) == ["a"]


def test_until_it_is_live_an_article_follows_its_date(database: Database) -> None:
    synced(database, article_file(published_at=NOW + timedelta(days=2)))
    synced(database, article_file(published_at=NOW + timedelta(days=1)))
    assert row(database).live_at == NOW + timedelta(days=1)
    synced(database, article_file(published_at=BEFORE))
    assert row(database).live_at == NOW


def test_a_draft_is_not_live_and_becomes_news_when_it_is_published(database: Database) -> None:
    synced(database, article_file("other"))
    synced(database, article_file("other"), article_file(status="draft"))
    assert row(database).live_at is None
    assert live(database) == ["other"]
    synced(database, article_file("other"), article_file(), now=LATER)
    assert row(database).live_at == LATER


def test_an_article_taken_back_to_draft_does_not_become_new_by_it(database: Database) -> None:
    synced(database, article_file())
    synced(database, article_file(status="draft"))
    assert live(database) == []
    synced(database, article_file(text="again"), now=LATER)
    assert row(database).live_at == BEFORE


def test_an_expired_article_vanishes_at_its_minute(database: Database) -> None:
    synced(database, article_file(expires_at=LATER))
    assert live(database, LATER - timedelta(seconds=1)) == ["a"]
    assert live(database, LATER) == []
    with database.reading() as session:
        assert reading.gone(session, "a", LATER)
        assert not reading.gone(session, "a", NOW)


def test_a_removed_file_is_gone_and_comes_back_as_the_same_article(database: Database) -> None:
    file = article_file()
    synced(database, file)
    first = row(database)
    assert synced(database) == Changes([], [], ["a"], 0)
    assert synced(database) == Changes([], [], [], 0)
    assert live(database) == []
    with database.reading() as session:
        assert reading.gone(session, "a", NOW)
        assert not reading.gone(session, "never-heard-of", NOW)
    assert synced(database, file, now=LATER) == Changes(["a"], [], [], 0)
    assert (row(database).id, row(database).live_at) == (first.id, first.live_at)


def test_a_renamed_file_keeps_its_row_and_its_old_address(database: Database) -> None:
    file = article_file()
    synced(database, file)
    first = row(database)
    renamed = replace(file, slug="b", source="articles/b.md")
    assert synced(database, renamed, now=LATER) == Changes([], ["b"], [], 0)
    assert (row(database, "b").id, row(database, "b").live_at) == (first.id, BEFORE)
    with database.reading() as session:
        assert reading.redirect_for(session, "/articles/a", NOW) == "/articles/b"
        assert not reading.gone(session, "a", NOW)


def test_a_file_moved_and_edited_at_once_is_known_by_its_address(database: Database) -> None:
    synced(database, article_file())
    first = row(database)
    moved = article_file(text="Edited", source="articles/a/index.md")
    assert synced(database, moved, now=LATER) == Changes([], ["a"], [], 0)
    assert row(database).id == first.id


def test_a_new_address_in_the_same_file_keeps_the_old_one_working(database: Database) -> None:
    synced(database, article_file())
    synced(database, article_file("b", source="articles/a.md"))
    synced(database, article_file("c", source="articles/a.md"))
    with database.reading() as session:
        for path in ("/articles/a", "/articles/b/"):
            assert reading.redirect_for(session, path, NOW) == "/articles/c"
        assert reading.redirect_for(session, "/articles/c", NOW) is None


def test_two_files_can_swap_their_names(database: Database) -> None:
    one, two = article_file("one"), article_file("two")
    synced(database, one, two)
    ids = (row(database, "one").id, row(database, "two").id)
    swapped = (
        replace(one, slug="two", source="articles/two.md"),
        replace(two, slug="one", source="articles/one.md"),
    )
    assert synced(database, *swapped, now=LATER) == Changes([], ["one", "two"], [], 0)
    assert (row(database, "two").id, row(database, "one").id) == ids
    with database.reading() as session:
        assert reading.redirect_for(session, "/articles/one", NOW) is None


def test_a_chain_of_renames_makes_nothing_new(database: Database) -> None:
    one, two = article_file("one"), article_file("two")
    synced(database, one, two)
    moved = (
        replace(one, slug="two", source="articles/two.md"),
        replace(two, slug="three", source="articles/three.md"),
    )
    assert synced(database, *moved, now=LATER).added == []
    assert row(database, "three").live_at == BEFORE


def test_a_copy_of_an_edited_file_is_a_new_article(database: Database) -> None:
    file = article_file()
    synced(database, file)
    first = row(database)
    copy = replace(file, slug="copy", source="articles/copy.md")
    synced(database, copy, article_file(text="Edited"), now=LATER)
    assert row(database).id == first.id
    assert row(database, "copy").live_at == LATER


def test_what_is_published_stays_while_its_file_is_broken(database: Database) -> None:
    synced(database, article_file(), article_file("b"))
    assert synced(database, article_file("b"), failed=["articles/a.md"]) == NOTHING
    assert sorted(live(database)) == ["a", "b"]
    assert synced(database, failed=["articles/"]).removed == []


def test_nobody_takes_the_address_of_an_article_whose_file_is_broken(database: Database) -> None:
    synced(database, article_file(), article_file("b"))
    first = row(database)
    taking = article_file(text="Other", source="articles/b.md")
    assert synced(database, taking, failed=["articles/a.md"]) == Changes([], [], [], 0)
    assert (row(database).id, row(database).text) == (first.id, "")
    assert sorted(live(database)) == ["a", "b"]


def test_an_address_can_pass_from_a_removed_article_to_another(database: Database) -> None:
    synced(database, article_file("a"), article_file("b"))
    synced(database, article_file("b"))
    synced(database, article_file("a", source="articles/b.md"), now=LATER)
    assert row(database).source == "articles/b.md"
    assert live(database, LATER) == ["a"]


def test_a_file_time_does_not_move_an_article_that_is_known(database: Database) -> None:
    synced(database, article_file(dated=False))
    synced(database, article_file(text="Touched", dated=False, published_at=NOW))
    assert row(database).published_at == BEFORE
    assert row(database).text == "Touched"


def test_an_image_found_later_renders_the_article_again(database: Database) -> None:
    file = article_file()
    synced(database, file)
    assert synced(database, replace(file, body=body("<p>a</p><hr>"))).changed == ["a"]


def test_old_addresses_are_kept_until_an_article_takes_them(database: Database) -> None:
    synced(database, article_file(aliases=["/old", "/articles/taken"]))
    synced(database, article_file(aliases=[]))
    with database.reading() as session:
        assert reading.redirect_for(session, "/old/", NOW) == "/articles/a"
        assert reading.redirect_for(session, "/articles/taken", NOW) == "/articles/a"
        assert reading.redirect_for(session, "/unknown", NOW) is None
    synced(database, article_file(aliases=[]), article_file("taken"), article_file("b", aliases=["/old"]))
    with database.reading() as session:
        assert reading.redirect_for(session, "/articles/taken", NOW) is None
        assert reading.redirect_for(session, "/old", NOW) == "/articles/b"


def test_an_old_address_of_a_draft_leads_nowhere(database: Database) -> None:
    synced(database, article_file(aliases=["/old"], status="draft"))
    with database.reading() as session:
        assert reading.redirect_for(session, "/old", NOW) is None


def test_pages_come_change_and_go(database: Database) -> None:
    about = PageFile("about", "pages/about.md", "About", "", "<p>1</p>")
    synced(database, pages=[about, replace(about, slug="b", source="pages/b.md")])
    before = version(database)
    synced(database, pages=[replace(about, html="<p>2</p>")], failed=["pages/b.md"])
    assert version(database) != before
    with database.reading() as session:
        assert [(page.slug, page.html) for page in reading.pages(session)] == [
            ("about", "<p>2</p>"),
            ("b", "<p>1</p>"),
        ]
    synced(database)
    with database.reading() as session:
        assert reading.pages(session) == []


def test_what_is_made_otherwise_of_the_same_file_is_written_though_it_is_as_long(database: Database) -> None:
    file = article_file("a", "text", html="<p>700</p>")
    synced(database, file)
    assert synced(database, file).changed == []
    assert synced(database, replace(file, body=body("<p>900</p>"))).changed == ["a"]
    assert synced(database, replace(file, body=body("<p>900</p>"), pinned=["b"])).changed == ["a"]


def test_related_articles_and_topics_leave_no_rows_behind(database: Database) -> None:
    files = [article_file(f"a{n}", text="queues and backpressure", topics=["t"]) for n in range(4)]
    synced(database, *files)
    synced(database, files[0])
    with database.reading() as session:
        assert session.scalar(select(func.count()).select_from(RelatedArticle)) == 0
        names = session.execute(select(ArticleTopic.topic).join(Article).where(Article.removed_at.is_(None)))
        assert names.all() == [("t",)]


def test_a_folder_becomes_a_site(database: Database, tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    (folder / "articles").mkdir(parents=True)
    (folder / "articles" / "a.md").write_text(
        "---\ntitle: A\ndate: 2025-05-30\ntags: [x]\n---\n# A\n\nHello.\n"
    )
    (folder / "articles" / "b.md").write_text("---\ntitle: B: broken\n---\n")
    now = clock.now()
    with database.transaction() as session:
        changes = sync(session, load(folder, now), now)
    assert changes == Changes(["a"], [], [], 0)
    kept = row(database)
    assert (kept.html, kept.published_at) == ("<p>Hello.</p>", datetime(2025, 5, 30, tzinfo=UTC))
