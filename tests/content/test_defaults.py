"""Defaults of a folder: what its articles need not say themselves."""

from pathlib import Path

import pytest

from blog.content.values import ArticleFile
from tests.content.folders import by_source, loaded, messages, write

BARE = "---\ntitle: A\ndate: 2025-05-30\n---\nText."


def article(folder: Path, source: str = "articles/x/a.md") -> ArticleFile:
    return by_source(loaded(folder))[source]


def test_articles_take_what_they_do_not_say_themselves(tmp_path: Path) -> None:
    write(
        tmp_path, "articles/x/_defaults.yaml", "author: Mara L\ntopics: [systems]\nlang: de\nseries: Deep\n"
    )
    write(tmp_path, "articles/x/a.md", BARE)
    write(tmp_path, "articles/b.md", BARE)
    found = loaded(tmp_path)
    assert found.problems == []
    below, beside = by_source(found)["articles/x/a.md"], by_source(found)["articles/b.md"]
    assert (below.authors, below.topics, below.language, below.series) == (
        ["Mara L"],
        ["systems"],
        "de",
        "Deep",
    )
    assert (beside.authors, beside.topics, beside.language, beside.series) == ([], [], "en", None)


@pytest.mark.parametrize(
    "own",
    ["topics: [own]", "tags: own", "category: own", "Tags: own", "taxonomies: {tags: [own]}"],
)
def test_an_articles_own_header_wins_however_it_spells_the_key(tmp_path: Path, own: str) -> None:
    write(tmp_path, "articles/x/_defaults.yaml", "topics: [systems]\nauthor: Mara L\n")
    write(tmp_path, "articles/x/a.md", BARE.replace("title: A", f"title: A\n{own}"))
    assert (article(tmp_path).topics, article(tmp_path).authors) == (["own"], ["Mara L"])


def test_the_nearest_folder_wins_key_by_key(tmp_path: Path) -> None:
    write(tmp_path, "_defaults.toml", 'lang = "de"\nauthors = ["Mara L"]\ntags = ["far"]\n')
    write(tmp_path, "articles/_defaults.yaml", "---\ntopics: [near]\n")
    write(tmp_path, "articles/x/a.md", BARE)
    found = article(tmp_path)
    assert (found.language, found.authors, found.topics) == ("de", ["Mara L"], ["near"])


def test_without_a_header_a_default_topic_goes_before_the_folder(tmp_path: Path) -> None:
    write(tmp_path, "articles/_defaults.yaml", "author: Mara L\n")
    path = write(tmp_path, "articles/x/a.md", "# A\n\nText.")
    assert article(tmp_path).topics == ["x"]
    write(tmp_path, "articles/_defaults.yaml", "topics: [systems]\n")
    assert path.exists()
    assert article(tmp_path).topics == ["systems"]


@pytest.mark.parametrize(
    ("default", "own", "status"),
    [
        ("draft: true", "author: B", "draft"),
        ("draft: true", "draft: false", "published"),
        ("draft: true", "status: published", "published"),
        ("draft: true", "published: 2025-01-01", "draft"),
        ("draft: true", "hidden: false", "draft"),
        ("status: hidden", "draft: true", "draft"),
    ],
)
def test_what_keeps_articles_back_is_lifted_only_by_its_own_opposite(
    tmp_path: Path, default: str, own: str, status: str
) -> None:
    write(tmp_path, "articles/x/_defaults.yaml", default)
    write(tmp_path, "articles/x/a.md", f"---\ntitle: A\n{own}\n---\nText.")
    assert article(tmp_path).status == status


def test_mistakes_are_named_once_with_file_and_line_and_those_keys_ignored(tmp_path: Path) -> None:
    write(
        tmp_path,
        "articles/x/_defaults.yaml",
        "author: Mara L\ntitle: T\nlang: 5!\nautor: B\ndate: 2025-01-01\n",
    )
    for name in "ab":
        write(tmp_path, f"articles/x/{name}.md", BARE)
    found = loaded(tmp_path)
    assert {(problem.file, problem.line) for problem in found.problems} == {
        ("articles/x/_defaults.yaml", line) for line in (2, 3, 4, 5)
    }
    assert len(found.problems) == 4
    assert [(item.authors, item.language, item.published_at.month) for item in found.articles] == [
        (["Mara L"], "en", 5)
    ] * 2


@pytest.mark.parametrize(
    ("name", "text", "line"),
    [
        ("_defaults.yaml", "author: Mara\ntitle: A: B\n", 2),
        ("_defaults.yaml", "author: Mara\n---\nlang: de\n", 3),
        ("_defaults.yaml", "- a\n", 1),
        ("_defaults.yaml", "draft: perhaps\n", 1),
        ("_defaults.yaml", "published: false\n", 1),
        ("_defaults.toml", 'author = "Mara"\nlang = de\n', 2),
        ("_defaults.toml", b"author = 'Caf\xe9'", 1),
    ],
)
def test_below_defaults_nobody_can_read_everything_stays_as_it_is(
    tmp_path: Path, name: str, text: str | bytes, line: int
) -> None:
    write(tmp_path, f"articles/x/{name}", text)
    write(tmp_path, "articles/x/a.md", BARE)
    write(tmp_path, "articles/b.md", BARE)
    found = loaded(tmp_path)
    assert [item.source for item in found.articles] == ["articles/b.md"]
    assert found.failed == {"articles/x/a.md"}
    assert [(problem.file, problem.line) for problem in found.problems] == [(f"articles/x/{name}", line)]


def test_a_link_out_of_the_folder_gives_no_defaults(tmp_path: Path) -> None:
    outside = write(tmp_path, "secret.yaml", "author: Secret")
    write(tmp_path, "content/articles/a.md", BARE)
    (tmp_path / "content/articles/_defaults.yaml").symlink_to(outside)
    found = loaded(tmp_path / "content")
    assert (found.articles, found.failed) == ([], {"articles/a.md"})
    assert messages(found) == ["the link leads out of the content folder"]


def test_two_files_of_defaults_in_one_folder_are_one_too_many(tmp_path: Path) -> None:
    write(tmp_path, "articles/_defaults.yaml", "author: Mara L")
    write(tmp_path, "articles/_defaults.toml", "author = 'B'")
    write(tmp_path, "articles/a.md", BARE)
    assert article(tmp_path, "articles/a.md").authors == ["Mara L"]
    assert messages(loaded(tmp_path)) == ["_defaults.yaml in the same folder is used instead"]


def test_a_change_of_defaults_changes_the_articles_it_reaches_and_no_others(tmp_path: Path) -> None:
    write(tmp_path, "articles/x/a.md", BARE)
    write(tmp_path, "articles/x/own.md", BARE.replace("title: A", "title: A\nauthor: B"))
    plain = {item.source: item.content_hash for item in loaded(tmp_path).articles}
    write(tmp_path, "articles/x/_defaults.yaml", "author: Mara L")
    first = {item.source: item.content_hash for item in loaded(tmp_path).articles}
    write(tmp_path, "articles/x/_defaults.yaml", "author: Jonas K")
    second = {item.source: item.content_hash for item in loaded(tmp_path).articles}
    assert len({hashes["articles/x/a.md"] for hashes in (plain, first, second)}) == 3
    assert len({hashes["articles/x/own.md"] for hashes in (plain, first, second)}) == 1
