"""The check of a whole content folder: every problem once, with its line and how to mend it."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from blog.content.checks.report import Report, check
from blog.settings import ROOT
from tests.content.folders import write

NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)


def article(folder: Path, name: str, body: str, *keys: str) -> Path:
    """Write an article whose body starts on line 5 with no further keys, one lower for each."""
    header = "\n".join(["title: T", "date: 2026-01-05", *keys])
    return write(folder, f"articles/{name}.md", f"---\n{header}\n---\n{body}\n")


def found(folder: Path) -> list[tuple[str, int | None, str, str]]:
    """Return the problems as (file without its folder, line, message, hint)."""
    problems = check(folder, NOW).problems
    return [(item.file.rpartition("/")[2], item.line, item.message, item.hint) for item in problems]


def only(folder: Path) -> tuple[str, int | None, str, str]:
    """Return the one problem there is."""
    (one,) = found(folder)
    return one


def test_the_bodies_of_these_tests_start_on_line_five(tmp_path: Path) -> None:
    path = article(tmp_path, "a", "BODY")
    assert path.read_text().split("\n")[4] == "BODY"


@pytest.mark.parametrize(
    "link",
    [
        *("/articles/b", "/articles/b/", "b.md", "/old/b", "b", "../about", "/about", "/topics/systems", "/"),
        *(
            "/archive",
            "/subscribe",
            "/digests/3",
            "/feed.xml",
            "/topics/systems/feed.xml",
            "mailto:a@example.org",
        ),
        *(
            "https://example.org/x#y",
            "//example.org/x",
            "#below",
            "/articles/b#deep-inside",
            "b.md#deep-inside",
        ),
        *(
            "#",
            "#top",
            "/articles/b#main",
            "?page=2",
            "/articles/b#:~:text=words",
            "notes.txt",
            "/media/articles/notes.txt",
        ),
    ],
)
def test_a_link_that_leads_somewhere_is_no_problem(tmp_path: Path, link: str) -> None:
    article(tmp_path, "a", f"[x]({link})\n\n## Below", "topics: [systems]")
    article(tmp_path, "b", "## Deep inside", "aliases: [/old/b]")
    write(tmp_path, "articles/notes.txt", "n")
    write(tmp_path, "pages/about.md", "# About\n\nUs.")
    assert found(tmp_path) == []


@pytest.mark.parametrize(
    ("link", "meant"),
    [
        ("/articles/swift-3-0-released", "/articles/swift-30-released"),
        ("/articles/Swift_30_released.html", "/articles/swift-30-released"),
        ("/2016/1/9/swift-3-0-released", "/articles/swift-30-released"),
        ("/articles/swift-30-relaesed", "/articles/swift-30-released"),
        ("swift-3-0-released", "/articles/swift-30-released"),
        ("/blog/about", "/about"),
        ("/archiv", "/archive"),
        ("/articles/notes.txt", "/media/articles/notes.txt"),
        ("www.example.org/x", "https://www.example.org/x"),
    ],
)
def test_a_dead_link_is_named_with_what_was_meant(tmp_path: Path, link: str, meant: str) -> None:
    article(tmp_path, "a", f"One.\n\nTwo [x]({link}).")
    article(tmp_path, "swift-30-released", "Words.")
    write(tmp_path, "articles/notes.txt", "n")
    write(tmp_path, "pages/about.md", "# About\n\nUs.")
    assert only(tmp_path) == ("a.md", 7, f"the link {link} leads nowhere", f"did you mean {meant}?")


def test_a_dead_link_like_nothing_here_is_to_be_mended_or_taken_away(tmp_path: Path) -> None:
    article(tmp_path, "a", "[x](/topics/gardening)")
    file, line, message, hint = only(tmp_path)
    assert (file, line, message) == ("a.md", 5, "the link /topics/gardening leads nowhere")
    assert "take the link away" in hint


def test_each_line_that_holds_a_dead_link_is_named_however_it_is_written(tmp_path: Path) -> None:
    body = "[a](/nix)\n\n`[b](/nix)` <a href='/nix'>c</a>\n\n```\n[d](/nix)\n```\n\n"
    body += "[e] and [f][g]\n\n[e]: /nix\n[g]: </nix>"
    article(tmp_path, "a", body)
    assert [line for _, line, *_ in found(tmp_path)] == [5, 7, 15, 16]


def test_a_link_without_an_address_is_named(tmp_path: Path) -> None:
    article(tmp_path, "a", "[x]()")
    assert only(tmp_path)[1:3] == (5, "the link has no address")


def test_an_anchor_that_is_not_there_is_named_in_this_and_in_another_article(tmp_path: Path) -> None:
    article(
        tmp_path,
        "a",
        "[x](#what-s-new)\n[y](b.md#deep-insid)\n[z](/articles/b#nothing-like-it)\n\n## What's new",
    )
    article(tmp_path, "b", "## Deep inside")
    missing = "names a section that is not there"
    assert found(tmp_path) == [
        ("a.md", 5, f"the link #what-s-new {missing}", "did you mean #whats-new?"),
        ("a.md", 6, f"the link b.md#deep-insid {missing}", "did you mean #deep-inside?"),
        ("a.md", 7, f"the link /articles/b#nothing-like-it {missing}",
         "name one of its headings, or leave out what follows the #"),
    ]  # fmt: skip


def test_text_that_looks_like_an_id_is_no_anchor(tmp_path: Path) -> None:
    article(tmp_path, "a", '[x](#trap) Write `<p id="trap">`')
    assert "#trap" in only(tmp_path)[2]


def test_an_id_of_the_page_around_is_none_of_the_text(tmp_path: Path) -> None:
    article(tmp_path, "a", "[x](#related)")
    assert only(tmp_path)[1:3] == (5, "the link #related names a section that is not there")
    article(tmp_path, "a", "[x](#related)\n\n## Related")
    assert found(tmp_path) == []


def test_a_section_renamed_because_the_page_has_that_id_is_named(tmp_path: Path) -> None:
    article(tmp_path, "a", "[x](b.md#main)\n[y](b.md#text-main)\n[z](b.md#related)")
    article(tmp_path, "b", "## Main")
    assert only(tmp_path) == (
        "a.md", 5, "the link b.md#main names a part of the page around: its own section is #text-main",
        "did you mean #text-main?",
    )  # fmt: skip


def test_two_files_that_want_one_address_are_named_with_a_line(tmp_path: Path) -> None:
    write(tmp_path, "articles/a.md", "---\ntitle: T\ndate: 2026-01-05\nslug: same\n---\nWords.")
    write(tmp_path, "articles/b.md", "---\ntitle: T\ndate: 2026-01-06\nSlug: same\n---\nWords.")
    write(tmp_path, "pages/about.md", "---\ntitle: About\n---\nUs.")
    write(tmp_path, "pages/us.md", "---\ntitle: Us\nslug: about\n---\nUs.")
    assert [(file, line) for file, line, *_ in found(tmp_path)] == [("b.md", 4), ("us.md", 3)]


def test_footnotes_and_tables_of_contents_lead_where_they_should(tmp_path: Path) -> None:
    article(tmp_path, "a", "Text[^1].\n\n[^1]: The note.\n\n## One\n\n## One\n\n[second](#one_1)")
    assert found(tmp_path) == []


@pytest.mark.parametrize(
    ("keys", "what"),
    [
        (["draft: true"], "leads to a draft"),
        (["expires_at: 2026-02-01"], "leads to an article that expired on 2026-02-01"),
    ],
)
def test_a_link_readers_cannot_follow_is_named(tmp_path: Path, keys: list[str], what: str) -> None:
    article(tmp_path, "a", "[x](b.md)")
    article(tmp_path, "b", "Words.", *keys)
    write(tmp_path, "pages/about.md", "[x](/articles/b)")
    assert [(file, line, message) for file, line, message, _ in found(tmp_path)] == [
        ("a.md", 5, f"the link b.md {what}"),
        ("about.md", 1, f"the link /articles/b {what}"),
    ]


def test_a_draft_may_link_to_a_draft(tmp_path: Path) -> None:
    article(tmp_path, "a", "[x](b.md)", "draft: true")
    article(tmp_path, "b", "[x](a.md)", "draft: true")
    assert found(tmp_path) == []


def test_two_articles_of_the_future_may_name_the_earlier_one_only(tmp_path: Path) -> None:
    for name, day, other in (("a", "01", "b"), ("b", "02", "a")):
        write(tmp_path, f"articles/{name}.md", f"---\ntitle: T\ndate: 2027-01-{day}\n---\n[x]({other}.md)")
    file, line, message, _ = only(tmp_path)
    assert (file, line) == ("a.md", 5)
    assert message == "the link b.md leads to an article that is not there before 2027-01-02 00:00 UTC"


def test_an_image_without_words_is_named_and_a_decoration_is_not(tmp_path: Path) -> None:
    write(tmp_path, "articles/x.svg", "<svg viewBox='0 0 2 1'></svg>")
    body = '![](x.svg)\n\n![A line](x.svg)\n\n<img src="x.svg" alt="">\n\n<img src="x.svg">\n\n`![](x.svg)`'
    article(tmp_path, "a", body)
    assert [(line, message) for _, line, message, _ in found(tmp_path)] == [
        (5, "the image x.svg has no alternative text"),
        (11, "the image x.svg has no alternative text"),
    ]


def test_what_the_loader_reports_is_reported_once(tmp_path: Path) -> None:
    article(tmp_path, "a", "![A](gone.png) [x](gone.md)", "related: [nobody]")
    article(tmp_path, "b", "Words.", "slug: twin")
    article(tmp_path, "c", "Words.", "slug: twin")
    write(tmp_path, "articles/d.md", "---\ntitle: [unclosed\n---\n")
    messages = [message for _, _, message, _ in found(tmp_path)]
    for part in ("image gone.png", "link gone.md", "no article 'nobody'", "/articles/twin;", "YAML header"):
        assert sum(part in message for message in messages) == 1, (part, messages)
    assert len(messages) == 5
    assert all(line for _, line, *_ in found(tmp_path))


def test_a_link_to_a_file_that_cannot_be_read_is_not_a_second_problem(tmp_path: Path) -> None:
    article(tmp_path, "a", "[x](/articles/broken)")
    write(tmp_path, "articles/2026-01-05-broken.md", "---\ntitle: [unclosed\n---\n")
    assert "YAML" in only(tmp_path)[2]


SITE = '[[topics]]\nslug = "systems"\nname = "Systems"\n[[authors]]\nname = "Mara Lindqvist"\n'


def test_unknown_topics_and_authors_are_named_when_the_site_lists_some(tmp_path: Path) -> None:
    article(tmp_path, "a", "Words.", "topics:\n  - Systems\n  - sytems", "author: Mara Linqvist")
    assert found(tmp_path) == []
    write(tmp_path, "site.toml", SITE)
    (author, topic) = sorted(found(tmp_path), key=lambda item: item[2])
    assert author[1:3] == (7, "the author 'Mara Linqvist' is not listed in site.toml")
    assert author[3].startswith("did you mean Mara Lindqvist? ")
    assert topic[1:3] == (6, "the topic 'sytems' is not listed in site.toml")
    assert topic[3].startswith("did you mean Systems? ")


def test_an_author_may_be_named_by_slug(tmp_path: Path) -> None:
    write(tmp_path, "site.toml", SITE)
    article(tmp_path, "a", "Words.", "author: mara-lindqvist", "topics: systems")
    assert found(tmp_path) == []


def test_a_dead_entry_of_the_navigation_is_named(tmp_path: Path) -> None:
    write(tmp_path, "site.toml", '[[navigation]]\nlabel = "About"\nurl = "/abuot"\n')
    write(tmp_path, "pages/about.md", "# About\n\nUs.")
    assert only(tmp_path) == (
        "site.toml", 3, "navigation: the link /abuot leads nowhere", "did you mean /about?",
    )  # fmt: skip


def test_what_harms_no_reader_is_a_notice(tmp_path: Path) -> None:
    write(tmp_path, "articles/a.md", "---\ntitle: T\nflavour: x\n---\n![A](https://example.org/a.png)")
    write(tmp_path, "articles/_defaults.yaml", "colour: red\n")
    write(tmp_path, "site.toml", 'accent = "#FFE000"')
    report = check(tmp_path, NOW)
    assert report.problems == []
    assert len(report.notices) == 5
    assert {tuple(notice.plain()) for notice in report.notices} == {("file", "line", "message", "hint")}


def test_an_empty_folder_is_clean(tmp_path: Path) -> None:
    assert check(tmp_path, NOW) == Report([], [], 0, 0)


def test_the_sample_content_is_clean() -> None:
    report = check(ROOT / "content", NOW)
    assert report.problems == []
    assert report.notices == []


PARTS = st.sampled_from(
    [
        *(
            "[a](",
            "](",
            ")",
            "[",
            "]",
            "![",
            "<",
            ">",
            "<a href=",
            '"',
            "'",
            "<img src=",
            "alt",
            "`",
            "```",
            "~~~",
        ),
        *(
            "<!--",
            "-->",
            "#",
            "/articles/",
            "a",
            "b.md",
            "//",
            "http://[",
            "%",
            "%zz",
            ":",
            "]: ",
            "\n",
            "\n\n",
        ),
        *(
            "    ",
            "> ",
            "- ",
            "&amp;",
            "\\",
            "?",
            "..",
            "\x00",
            "é",
            "---\n",
            "[^1]",
            "title: x\n",
            "#:~:text=",
        ),
    ]
)


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(body=st.one_of(st.text(max_size=200), st.lists(PARTS, max_size=30).map("".join)))
def test_no_text_makes_the_check_fail(tmp_path: Path, body: str) -> None:
    raw = body.encode("utf-8", "surrogatepass")
    write(tmp_path, "articles/a.md", b"---\ntitle: T\ndate: 2026-01-05\n---\n" + raw)
    write(tmp_path, "articles/b.md", raw)
    write(tmp_path, "site.toml", SITE)
    for problem in check(tmp_path, NOW).problems:
        assert problem.message
        assert problem.hint


def test_the_notes_of_issues_are_checked_and_what_they_pin(tmp_path: Path) -> None:
    article(tmp_path, "queues", "Text.")
    write(tmp_path, "issues/next.md", "---\nsubject: Now\npinned: [queues, quues]\n---\nRead on.\n")
    write(tmp_path, "issues/odd.md", "---\ncadence: hourly\n---\nRead on.\n")
    assert found(tmp_path) == [
        ("next.md", 3, "pinned: there is no article 'quues'", "did you mean queues?"),
        (
            "odd.md",
            2,
            "cadence: 'hourly' is none",
            "write instant, daily, weekly, monthly, or leave it out for all",
        ),
    ]
