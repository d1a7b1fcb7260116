"""A new article begun: it reads back as what was asked for, and nothing is ever written over."""

import tempfile
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from blog.content.drafts import Beginning, begin
from blog.content.keys import joined
from blog.errors import BlogError, UsageError
from tests.content.folders import by_source, loaded, write

DAY = date(2026, 11, 24)


def test_a_new_article_is_a_draft_with_its_header(tmp_path: Path) -> None:
    path = begin(tmp_path, Beginning("What the  Queue Remembers", DAY, ["systems", "mail"], "Mara L"))
    assert path == tmp_path / "articles/what-the-queue-remembers.md"
    assert path.read_text() == (
        "---\ntitle: What the Queue Remembers\ndate: 2026-11-24\ndraft: true\n"
        "description: # one or two sentences that make somebody want to read it\n"
        "topics: [systems, mail]\nauthor: Mara L\n---\n\n"
    )
    found = loaded(tmp_path)
    (article,) = found.articles
    assert found.problems == []
    assert (article.status, article.title, article.description) == ("draft", "What the Queue Remembers", "")
    assert (article.topics, article.authors, article.published_at.date()) == (
        ["systems", "mail"],
        ["Mara L"],
        DAY,
    )


def test_what_is_not_given_is_left_to_the_folders_defaults(tmp_path: Path) -> None:
    write(tmp_path, "articles/_defaults.yaml", "topics: [systems]\nauthor: Mara L\n")
    begin(tmp_path, Beginning("A", DAY))
    (article,) = loaded(tmp_path).articles
    assert (article.topics, article.authors) == (["systems"], ["Mara L"])


def test_a_bundle_is_a_folder_of_its_own(tmp_path: Path) -> None:
    assert begin(tmp_path, Beginning("A b", DAY), bundle=True) == tmp_path / "articles/a-b/index.md"


@pytest.mark.parametrize("title", ["Index", "README"])
def test_a_title_that_makes_no_article_as_a_file_gets_a_folder(tmp_path: Path, title: str) -> None:
    begin(tmp_path, Beginning(title, DAY))
    assert [article.title for article in loaded(tmp_path).articles] == [title]


@pytest.mark.parametrize("there", ["articles/a.md", "articles/a/index.md"])
@pytest.mark.parametrize("bundle", [True, False])
def test_nothing_is_written_over(tmp_path: Path, there: str, bundle: bool) -> None:
    path = write(tmp_path, there, "mine")
    with pytest.raises(BlogError, match=f"there is .*{there} already") as error:
        begin(tmp_path, Beginning("A", DAY), bundle=bundle)
    assert error.value.exit_code == 1
    assert path.read_text() == "mine"
    assert len([found for found in tmp_path.rglob("*") if found.is_file()]) == 1


@pytest.mark.parametrize("title", ["", "  ", "x" * 501])
def test_a_title_is_needed(tmp_path: Path, title: str) -> None:
    with pytest.raises(UsageError, match="needs a title"):
        begin(tmp_path, Beginning(title, DAY))
    assert list(tmp_path.iterdir()) == []


def test_a_site_without_an_articles_folder_does_not_get_one(tmp_path: Path) -> None:
    write(tmp_path, "old/first.md", "# First\n\nText.")
    assert begin(tmp_path, Beginning("Second", DAY)) == tmp_path / "second.md"
    assert set(by_source(loaded(tmp_path))) == {"old/first.md", "second.md"}


words = st.text(st.characters(exclude_categories=["Cs", "Cc", "Cn", "Co"]), min_size=1, max_size=30)


@settings(deadline=None)  # the first one loads the highlighter
@given(words.filter(lambda text: joined(text) and "`" not in text), words, words)
def test_any_title_topic_and_author_are_read_back(title: str, topic: str, author: str) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        begin(folder, Beginning(title, DAY, [topic], author))
        (article,) = loaded(folder).articles
        assert article.title == joined(title)
        assert (list(article.topic_names.values()) or [""])[0] == joined(topic)
