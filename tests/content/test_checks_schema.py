"""The schema for editors says of keys what the loader does."""

import re
from zoneinfo import ZoneInfo

import pytest

from blog.content import fields
from blog.content.checks.schema import schema
from blog.content.front_matter import Header, read
from blog.content.keys import Keys, squeezed


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """Return the set in which every key is noted that the loader asks a header for."""
    noted: set[str] = set()
    given = Keys.given

    def noting(keys: Keys, names: tuple[str, ...]) -> list[tuple[str, object]]:
        noted.update(names)
        return given(keys, names)

    monkeypatch.setattr(Keys, "given", noting)
    return noted


def known_to_schema(key: str) -> bool:
    made = schema()
    matching = [pattern for pattern in made["patternProperties"] if re.search(pattern, key)]
    assert len(matching) + (key in made["properties"]) <= 1, "a mistake would be reported twice"
    return bool(matching) or key in made["properties"]


def test_the_schema_knows_the_very_keys_the_loader_reads(asked: set[str]) -> None:
    fields.check(Header("", present=True, fields={"title": "T"}), "a.md", ZoneInfo("UTC"))
    patterns = schema()["patternProperties"]
    assert {re.sub(r"\(\?!.*\$\)|\[-_ \]\*|\[(.).\]|[$^]", r"\1", pattern) for pattern in patterns} == asked


def test_every_key_an_editor_offers_is_one_the_loader_knows() -> None:
    for key in schema()["properties"]:
        header = Header("", present=True, fields={key: "x"})
        assert fields.check(header, "a.md", ZoneInfo("UTC")).unknown == [], key
        assert known_to_schema(key)


@pytest.mark.parametrize("key", ["Title", "pub_date", "pubDate", "PUBLISH-DATE", "redirect_from", "lastmod"])
def test_every_spelling_is_known(key: str) -> None:
    assert known_to_schema(key)
    assert squeezed(key) in {
        squeezed(name) for name in (*fields.TITLE, *fields.DATE, *fields.UPDATED, *fields.ALIASES)
    }


@pytest.mark.parametrize("key", ["titles", "a title", "colour", ""])
def test_other_keys_are_left_alone(key: str) -> None:
    assert not known_to_schema(key)


def test_a_header_in_use_has_the_shapes_the_schema_asks_for() -> None:
    text = (
        "---\ntitle: T\ndate: 2026-11-24\ntopics: [a, b]\ntags: a, b\nauthor: {name: Ada}\ndraft: yes\n"
        "taxonomies: {tags: [a]}\nrelated: [a]\nlanguage: en\n---\n"
    )
    kinds = {str: "string", list: "array", dict: "object"}
    for key, value in read(text.encode(), "a.md").fields.items():
        assert kinds[type(value)] in schema()["properties"][key]["type"], key
