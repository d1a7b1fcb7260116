"""Slugs and old addresses."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from blog.content.slugs import LONGEST, PATTERN, is_slug, old_path, slug_for, slugify, without_date


@pytest.mark.parametrize(
    ("text", "slug"),
    [
        ("Backend 2.0: Systems Thinking First", "backend-2-0-systems-thinking-first"),
        ("Größe & Øre", "grosse-ore"),
        ("What's new", "whats-new"),
        ("C++", "cpp"),
        ("C#", "c-sharp"),
        ("conf-lineup@2", "conf-lineup-2"),
        ("Привет", ""),
    ],
)
def test_a_name_becomes_a_slug(text: str, slug: str) -> None:
    assert slugify(text) == slug


@given(st.text())
def test_every_name_has_a_stable_slug(text: str) -> None:
    slug = slug_for(text)
    assert PATTERN.fullmatch(slug)
    assert is_slug(slug)
    assert slug == slug_for(text)


def test_a_long_slug_is_cut_between_words() -> None:
    slug = slugify("word " * 60)
    assert len(slug) <= LONGEST
    assert slug.endswith("-word")
    assert len(slugify("x" * 300)) == LONGEST


@given(st.text())
def test_an_old_address_is_a_clean_path_or_nothing(text: str) -> None:
    path = old_path(text)
    assert path is None or (path.startswith("/") and not path.endswith("/") and ".." not in path.split("/"))


def test_old_addresses_are_kept_without_host_query_and_slash() -> None:
    assert old_path("https://old.example.org/2014/12/a.html?x=1#y") == "/2014/12/a.html"
    assert old_path("2014/12/12/a/") == "/2014/12/12/a"
    assert old_path("/a%20b") == "/a b"
    assert [old_path(text) for text in ("", "/", "../x", "http://[")] == [None] * 4


def test_the_date_before_a_file_name_is_not_part_of_the_address() -> None:
    assert without_date("2025-05-30-a-title") == "a-title"
    assert without_date("2025-05-30") == "2025-05-30"
