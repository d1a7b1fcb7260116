"""A whole content folder: what is published from it, and what is said about the rest."""

import os
import random
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from blog import clock
from blog.content import naming, walk
from blog.content.defaults import Defaults
from blog.content.library import load
from blog.content.manuscripts import How, read_all
from blog.errors import UsageError
from tests.content.folders import by_source, loaded, messages, write

DATED = "---\ntitle: {0}\ndate: 2025-05-30\n---\nText of {0}.\n"


def test_a_file_is_an_article(tmp_path: Path) -> None:
    write(
        tmp_path,
        "articles/2025-05-30-first-words.md",
        "---\ntitle: First `words`\ntags: [Big Things]\n---\nHello *there*, dear readers of this page.\n",
    )
    found = loaded(tmp_path)
    (article,) = found.articles
    assert (article.slug, article.title, article.status) == ("first-words", "First words", "published")
    assert article.published_at == datetime(2025, 5, 30, tzinfo=UTC)
    assert (article.topics, article.topic_names) == (["big-things"], {"big-things": "Big Things"})
    assert article.excerpt == "Hello there, dear readers of this page."
    assert (article.description, article.language, article.minutes) == ("", "en", 1)
    assert found.problems == []


def test_without_any_header_heading_folder_and_file_time_are_used(tmp_path: Path) -> None:
    for name in ("one", "two"):
        path = write(tmp_path, f"articles/sqlite/{name}.md", f"# The title of {name}\n\nText.")
        os.utime(path, (1_700_000_000, 1_700_000_000))
    found = loaded(tmp_path)
    article = by_source(found)["articles/sqlite/one.md"]
    assert (article.title, article.topics, article.dated) == ("The title of one", ["sqlite"], False)
    assert article.published_at == datetime.fromtimestamp(1_700_000_000, UTC)
    assert messages(found) == ["2 files have no date; the file's modification time is used"]


def test_a_file_time_in_the_future_counts_as_now(tmp_path: Path) -> None:
    path = write(tmp_path, "articles/a.md", "# A\n\nText.")
    os.utime(path, (4_000_000_000, 4_000_000_000))
    now = clock.now()
    assert load(tmp_path, now).articles[0].published_at == now


def test_a_missing_zone_is_the_sites(tmp_path: Path) -> None:
    write(tmp_path, "site.toml", 'timezone = "Europe/Berlin"')
    write(tmp_path, "articles/a.md", DATED.format("A"))
    assert loaded(tmp_path).articles[0].published_at == datetime(2025, 5, 29, 22, tzinfo=UTC)


def test_bundles_sections_readmes_and_other_files(tmp_path: Path) -> None:
    write(tmp_path, "articles/2025-01-02-a-bundle/index.md", "---\ntitle: B\n---\n![x](x.svg)")
    write(tmp_path, "articles/2025-01-02-a-bundle/x.svg", '<svg width="4" height="2"></svg>')
    for name in ("_index.md", "README.md", "index.md", ".hidden.md", ".git/a.md", "notes.txt"):
        write(tmp_path, f"articles/{name}", "# Not an article\n\nText.")
    write(tmp_path, "articles/post.rst", "Not Markdown")
    found = loaded(tmp_path)
    (article,) = found.articles
    assert (article.slug, article.published_at.year) == ("a-bundle", 2025)
    assert (
        '<img alt="x" src="/media/articles/2025-01-02-a-bundle/x.svg" width="4" height="2" '
        'fetchpriority="high">' in article.body.read().html
    )
    assert messages(found) == [".rst files are not published"]


def test_without_an_articles_folder_everything_is_an_article_but_pages(tmp_path: Path) -> None:
    write(tmp_path, "blog/a.md", DATED.format("A"))
    write(tmp_path, "pages/about.md", "# About us\n\nText.")
    write(tmp_path, "README.md", "# Read me")
    found = loaded(tmp_path)
    assert [article.source for article in found.articles] == ["blog/a.md"]
    assert [(page.slug, page.title, page.description) for page in found.pages] == [
        ("about", "About us", "Text.")
    ]


def test_one_bad_file_stops_only_itself(tmp_path: Path) -> None:
    write(tmp_path, "articles/good.md", DATED.format("Good"))
    write(tmp_path, "articles/header.md", "---\ntitle: A: B\n---\nText")
    write(tmp_path, "articles/bytes.md", b"# Caf\xe9")
    write(tmp_path, "articles/date.md", "---\ntitle: X\ndate: tomorrow\n---\nText")
    write(tmp_path, "articles/empty.md", "")
    write(tmp_path, "articles/deep.md", DATED.format("Deep") + ">" * 3_000 + " x")
    found = loaded(tmp_path)
    assert [article.slug for article in found.articles] == ["good"]
    assert found.failed == {f"articles/{name}.md" for name in ("header", "bytes", "date", "empty", "deep")}
    assert {(problem.file, problem.line) for problem in found.problems} == {
        ("articles/header.md", 2),
        ("articles/bytes.md", 1),
        ("articles/date.md", 3),
        ("articles/empty.md", None),
        ("articles/deep.md", 5),
    }


def test_drafts_are_known_by_key_and_by_folder(tmp_path: Path) -> None:
    write(tmp_path, "articles/a.md", "---\ntitle: A\ndate: 2025-05-30\ndraft: true\n---\nText")
    write(tmp_path, "articles/_drafts/b.md", DATED.format("B"))
    assert {article.slug: article.status for article in loaded(tmp_path).articles} == {
        "a": "draft",
        "b": "draft",
    }


def test_two_files_never_share_an_address(tmp_path: Path) -> None:
    write(tmp_path, "articles/x/note.md", DATED.format("Older").replace("2025", "2020"))
    write(tmp_path, "articles/a/note.md", DATED.format("Newer"))
    found = loaded(tmp_path)
    slugs = {article.source: article.slug for article in found.articles}
    assert slugs == {"articles/x/note.md": "note", "articles/a/note.md": "note-2025-05-30"}
    (problem,) = found.problems
    assert (problem.file, problem.hint) == ("articles/a/note.md", "set `slug:` in one of the two to choose")
    assert "articles/x/note.md" in problem.message


def test_an_address_asked_for_goes_before_one_from_a_file_name(tmp_path: Path) -> None:
    write(tmp_path, "articles/note.md", DATED.format("A"))
    write(tmp_path, "articles/z.md", "---\ntitle: Z\ndate: 2026-01-01\nslug: note\n---\nText")
    slugs = {article.source: article.slug for article in loaded(tmp_path).articles}
    assert slugs == {"articles/z.md": "note", "articles/note.md": "note-2025-05-30"}


def test_undated_files_are_told_apart_by_their_folder_whatever_their_times(tmp_path: Path) -> None:
    for folder in ("postgresql", "sqlite"):
        write(tmp_path, f"articles/{folder}/json.md", f"# JSON in {folder}\n\nText.")
    os.utime(tmp_path / "articles/postgresql/json.md", (1_800_000_000, 1_800_000_000))
    assert [article.slug for article in loaded(tmp_path).articles] == ["json", "sqlite-json"]


def test_the_order_of_files_changes_nothing(tmp_path: Path) -> None:
    for number in range(12):
        write(tmp_path, f"articles/{number}/note.md", DATED.format(number))
    read = read_all(walk.articles(tmp_path), How(Defaults(tmp_path, UTC), ""), clock.now()).manuscripts
    slugs, _ = naming.assign(read)
    assert len(set(slugs.values())) == 12
    for seed in range(5):
        assert naming.assign(random.Random(seed).sample(read, 12))[0] == slugs


def test_slugs_in_headers_are_mended_and_reported(tmp_path: Path) -> None:
    write(tmp_path, "articles/a.md", "---\ntitle: A\ndate: 2025-05-30\nslug: My Post!\n---\nText")
    write(tmp_path, "articles/b.md", "---\ntitle: B\ndate: 2025-05-30\nslug: Some-Case\n---\nText")
    found = loaded(tmp_path)
    assert [article.slug for article in found.articles] == ["my-post", "some-case"]
    assert [(problem.file, problem.line) for problem in found.problems] == [("articles/a.md", 4)]


def test_old_addresses_lead_to_one_article_only(tmp_path: Path) -> None:
    write(tmp_path, "articles/a.md", "---\ntitle: A\npath: 2024/02/19/A\naliases: [/old]\n---\nText")
    write(
        tmp_path, "articles/b.md", "---\ntitle: B\ndate: 2024-02-20\naliases: [/old]\n---\n[A](/2024/02/19/A)"
    )
    found = by_source(loaded(tmp_path))
    assert found["articles/a.md"].aliases == ["/2024/02/19/A", "/old"]
    assert found["articles/b.md"].aliases == []
    assert found["articles/b.md"].links == ["a"]
    assert messages(loaded(tmp_path)) == ["the old address /old leads to /articles/a already"]


def test_a_file_that_only_redirects_is_an_old_address(tmp_path: Path) -> None:
    write(tmp_path, "articles/a.md", DATED.format("A"))
    write(tmp_path, "articles/moved.md", "---\nredirect: /articles/a\n---\n")
    write(tmp_path, "articles/lost.md", "---\nredirect: /articles/nowhere\n---\n")
    found = loaded(tmp_path)
    assert [(article.slug, article.aliases) for article in found.articles] == [
        ("a", ["/moved", "/articles/moved"])
    ]
    assert [problem.file for problem in found.problems] == ["articles/lost.md"]


def test_unknown_keys_are_reported_once_for_all_files(tmp_path: Path) -> None:
    for name in "abc":
        write(
            tmp_path, f"articles/{name}.md", f"---\ntitle: {name}\ndate: 2025-05-30\nlayout: post\n---\nText"
        )
    found = loaded(tmp_path)
    assert messages(found) == ["the key 'layout' is not known (in 3 files)"]
    assert found.problems[0].line == 4
    assert found.articles[0].extra == {"layout": "post"}


def test_topics_and_authors_of_the_site_are_recognised(tmp_path: Path) -> None:
    write(
        tmp_path,
        "site.toml",
        '[[topics]]\nslug = "artificial"\nname = "AI"\n[[authors]]\nslug = "mara"\nname = "Mara L"\n',
    )
    write(tmp_path, "articles/a.md", "---\ntitle: A\ndate: 2025-05-30\ntags: [ai]\nauthor: mara\n---\nText")
    (article,) = loaded(tmp_path).articles
    assert article.topic_names == {"artificial": "AI"}
    assert article.authors == ["Mara L"]


def test_hand_picked_articles_are_found_by_any_of_their_names(tmp_path: Path) -> None:
    write(tmp_path, "articles/2025-01-01-b.md", DATED.format("B"))
    write(
        tmp_path, "articles/a.md", "---\ntitle: A\ndate: 2025-05-30\nrelated: [b, /articles/b, bb]\n---\nText"
    )
    found = loaded(tmp_path)
    assert by_source(found)["articles/a.md"].pinned == ["b", "bb"]
    assert [(problem.message, problem.hint) for problem in found.problems] == [
        ("related: there is no article 'bb'", "did you mean b?")
    ]


def test_links_out_of_the_folder_are_not_followed(tmp_path: Path) -> None:
    content = tmp_path / "content"
    write(content, "articles/a.md", DATED.format("A"))
    secret = write(tmp_path, "secret.md", "# Secret\n\nText")
    (content / "articles" / "b.md").symlink_to(secret)
    (content / "articles" / "loop").symlink_to(content / "articles")
    (content / "articles" / "c.md").symlink_to(content / "articles" / "c.md")
    os.mkfifo(content / "articles" / "d.md")
    found = loaded(content)
    assert [article.slug for article in found.articles] == ["a"]
    assert messages(found) == [
        "the link leads out of the content folder",
        "the file cannot be read",
        "this is not a regular file",
    ]


def test_a_file_whose_name_cannot_be_stored_is_reported(tmp_path: Path) -> None:
    write(tmp_path, "articles/a\n.md", DATED.format("A"))
    (tmp_path / "articles" / os.fsdecode(b"caf\xe9.md")).write_text(DATED.format("B"))
    found = loaded(tmp_path)
    assert found.articles == []
    assert messages(found) == ["the file's name cannot be stored"] * 2
    assert all(problem.file.isprintable() for problem in found.problems)


def test_while_the_zone_is_unknown_nothing_changes(tmp_path: Path) -> None:
    write(tmp_path, "site.toml", "name = broken")
    write(tmp_path, "articles/a.md", DATED.format("A"))
    found = loaded(tmp_path)
    assert (found.articles, found.failed) == ([], {"articles/a.md"})
    assert [(problem.file, problem.line) for problem in found.problems] == [("site.toml", 1)]


def test_pages_cannot_take_the_sites_own_addresses(tmp_path: Path) -> None:
    write(tmp_path, "pages/subscribe.md", "# Subscribe\n\nText")
    write(tmp_path, "pages/about.md", "# About\n\nText")
    write(tmp_path, "pages/us.md", "---\nslug: about\n---\n# Us\n\nText")
    write(tmp_path, "pages/draft.md", "---\ndraft: true\n---\n# Draft\n\nText")
    found = loaded(tmp_path)
    assert [page.slug for page in found.pages] == ["about"]
    assert [problem.file for problem in found.problems] == ["pages/subscribe.md", "pages/us.md"]


def test_a_missing_folder_is_an_error_and_not_an_empty_library(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="BLOG_CONTENT_DIR"):
        loaded(tmp_path / "nowhere")


def test_the_fingerprint_follows_bytes_and_site_and_nothing_else(tmp_path: Path) -> None:
    path = write(tmp_path, "articles/a.md", DATED.format("A"))
    first = loaded(tmp_path).articles[0].content_hash
    os.utime(path, (1, 1))
    assert load(tmp_path, clock.now() + timedelta(days=1)).articles[0].content_hash == first
    write(tmp_path, "site.toml", 'timezone = "Europe/Berlin"')
    assert loaded(tmp_path).articles[0].content_hash != first
