"""The kept comparison: good for what did not change, and never in the way."""

from pathlib import Path

from blog.articles.remembered import FILE, adopt, recall, remember
from blog.articles.space import compare
from blog.articles.terms import counted

SPACE = compare([counted("Queues", (), f"jobs in queues, SQLite and row{number % 2}") for number in range(5)])
ARTICLES = [(number * 10, f"print{number}") for number in range(5)]


def test_it_comes_back_as_it_was(tmp_path: Path) -> None:
    remember(tmp_path / "cache", ARTICLES, SPACE)
    known = recall(tmp_path / "cache")
    assert known
    assert list(known.articles.items()) == ARTICLES
    assert known.space.rarity == SPACE.rarity
    assert list(known.space.forms) == list(SPACE.forms)
    assert [list(near.texts) for near in known.space.near] == [list(near.texts) for near in SPACE.near]
    assert list(known.space.shared(0, 2)) == list(SPACE.shared(0, 2))


def test_none_is_kept_without_a_folder_and_none_found_in_an_empty_one(tmp_path: Path) -> None:
    remember(None, ARTICLES, SPACE)
    assert recall(None) is None
    assert recall(tmp_path) is None


def test_a_damaged_file_or_one_of_other_code_is_no_comparison(tmp_path: Path) -> None:
    remember(tmp_path, ARTICLES, SPACE)
    whole = (tmp_path / FILE).read_bytes()
    for damaged in (b"", b"PK", whole[: len(whole) // 2], whole.replace(b'"code": "', b'"code": "0', 1)):
        (tmp_path / FILE).write_bytes(damaged)
        assert recall(tmp_path) is None


def test_a_folder_that_cannot_be_written_is_no_trouble(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    remember(tmp_path / "file", ARTICLES, SPACE)
    assert recall(tmp_path / "file") is None


def test_one_that_was_made_before_its_articles_were_known_becomes_theirs(tmp_path: Path) -> None:
    remember(tmp_path / "made", None, SPACE)
    assert recall(tmp_path / "made") is None
    adopt(tmp_path / "made", tmp_path / "cache", ARTICLES)
    known = recall(tmp_path / "cache")
    assert known
    assert list(known.articles.items()) == ARTICLES
    assert known.space.rarity == SPACE.rarity


def test_one_that_was_not_made_is_not_kept(tmp_path: Path) -> None:
    adopt(tmp_path / "made", tmp_path / "cache", ARTICLES)
    adopt(tmp_path / "made", None, ARTICLES)
    assert recall(tmp_path / "cache") is None
