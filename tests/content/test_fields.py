"""Keys of a header: the spellings, the values, and what a mistake does."""

from datetime import UTC, datetime
from typing import Any

import pytest

from blog.content import fields, front_matter
from blog.content.fields import Fields


def checked(yaml: str) -> Fields:
    return fields.check(front_matter.read(f"---\n{yaml}\n---\n".encode(), "a.md"), "a.md", UTC)


DAY = datetime(2025, 5, 30, tzinfo=UTC)


@pytest.mark.parametrize("key", ["date", "pubDate", "pub_date", "publishDate", "published", "Created"])
def test_a_publication_date_has_many_names(key: str) -> None:
    assert checked(f"{key}: 2025-05-30").published_at == DAY


@pytest.mark.parametrize(
    ("key", "name"),
    [("lastmod", "updated_at"), ("last_modified_at", "updated_at"), ("expiryDate", "expires_at")],
)
def test_so_have_the_other_dates(key: str, name: str) -> None:
    assert getattr(checked(f"{key}: 2025-05-30"), name) == DAY


@pytest.mark.parametrize(
    ("yaml", "status"),
    [
        ("title: x", "published"),
        ("draft: true", "draft"),
        ("draft: no", "published"),
        ("published: false", "draft"),
        ("published: true", "published"),
        ("published: 2025-05-30", "published"),
        ("status: Draft", "draft"),
        ("status: hidden", "hidden"),
        ("hidden: yes", "hidden"),
        ("published: true\ndraft: true", "draft"),
    ],
)
def test_a_file_says_whether_it_is_published(yaml: str, status: str) -> None:
    assert checked(yaml).status == status


@pytest.mark.parametrize(
    "yaml",
    [
        "date: next tuesday",
        "draft: maybe",
        "status: almost",
        "title: [a]",
        "expiryDate: soon",
        "slug: {a: b}",
    ],
)
def test_a_mistake_that_decides_about_publication_stops_the_file(yaml: str) -> None:
    found = checked(yaml)
    assert not found.usable
    assert [problem.line for problem in found.problems] == [2]


@pytest.mark.parametrize("yaml", ["updated: soon", "language: de_DE!", "tags: [[a]]", "aliases: [/]"])
def test_any_other_mistake_is_reported_and_left_out(yaml: str) -> None:
    found = checked(f"title: x\n{yaml}")
    assert found.usable
    assert [problem.line for problem in found.problems] == [3]


@pytest.mark.parametrize(
    ("yaml", "names"),
    [
        ("tags: [One, two]", ["One", "two"]),
        ("categories: news, foundation", ["news", "foundation"]),
        ("category: News\ntags: [news, x]", ["news", "x"]),
        ("taxonomies: {tags: [a], categories: [b]}", ["a", "b"]),
        ("keywords: [k]", ["k"]),
        ("tags: [a]\nkeywords: [k]", ["a"]),
        ("tags:", []),
        ("tags: [{name: A, slug: a}]", ["A"]),
    ],
)
def test_topics_come_from_many_keys(yaml: str, names: list[str]) -> None:
    assert checked(yaml).topics == names


@pytest.mark.parametrize(
    ("yaml", "names"),
    [
        ("author: Mara Lindqvist", ["Mara Lindqvist"]),
        ("author: Matt Cowley, Claudio Wunder", ["Matt Cowley", "Claudio Wunder"]),
        ("by: ['Russ Cox, for the Go team']", ["Russ Cox, for the Go team"]),
        ("author: Russ Cox, for the Go team", ["Russ Cox, for the Go team"]),
        ("authors: Doe, Jane; Roe, Rick", ["Doe, Jane", "Roe, Rick"]),
        ("author: {name: Mara Lindqvist, site: x}", ["Mara Lindqvist"]),
    ],
)
def test_authors_are_split_only_where_that_is_clear(yaml: str, names: list[str]) -> None:
    assert checked(yaml).authors == names


def test_a_path_is_an_old_address_and_may_hold_the_date() -> None:
    found = checked("path: 2024/02/19/A-Title\naliases: [old.html]")
    assert found.published_at == datetime(2024, 2, 19, tzinfo=UTC)
    assert found.address == "/2024/02/19/A-Title"
    assert found.aliases == ["/2024/02/19/A-Title", "/old.html"]


@pytest.mark.parametrize(
    "yaml", ["permalink: /:year/:title/", "permalink: false", "url: https://example.org/x"]
)
def test_a_pattern_or_another_sites_address_is_not_an_address(yaml: str) -> None:
    assert checked(yaml).address is None


def test_unknown_keys_are_kept_and_named() -> None:
    found = checked("title: x\nlayout: post\nextra: {team: 1}\ncover: a.png")
    assert found.unknown == ["layout"]
    assert found.extra == {"extra": {"team": "1"}, "layout": "post", "image": "a.png"}


def test_values_of_other_dialects_are_kept_as_json_can_hold_them() -> None:
    header = front_matter.read(b"+++\n[extra]\nwhen = 2024-01-01\nnan = nan\n+++\n", "a.md")
    extra: dict[str, Any] = fields.check(header, "a.md", UTC).extra
    assert extra == {"extra": {"when": "2024-01-01", "nan": "nan"}}
