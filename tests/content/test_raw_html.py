"""What becomes of HTML in a text: the folder or the site decides, and never the text."""

from pathlib import Path

import pytest

from blog.content.markup import Text, render
from tests.content.folders import by_source, loaded, messages, write
from tests.content.test_markup import NOWHERE, Watch

BODY = (
    '<div data-x="1" role="note">\n<form action="/search"><input name="q"></form>\n</div>\n\n'
    "In <b>bold</b> &amp; *it*."
)
BARE = f"---\ntitle: A\ndate: 2025-05-30\n---\n{BODY}"


def html(body: str, mode: str) -> str:
    return render(Text("articles/a.md", body, 1, "T", mode), NOWHERE).html


def test_escape_shows_the_tags_as_text() -> None:
    made = html(BODY, "escape")
    assert "&lt;div data-x=" in made
    assert "In &lt;b&gt;bold&lt;/b&gt; &amp; <em>it</em>." in made
    assert html("<!-- x -->\n\n<script>\nalert(1)\n</script>", "escape").count("&lt;") == 3
    assert "admonition" in html(":::note\n`<b>`\n:::\n\n```html\n<b>\n```", "escape")


def test_sanitize_keeps_what_is_harmless() -> None:
    made = html(BODY, "sanitize")
    assert made == "<div>\n\n</div>\n<p>In <b>bold</b> &amp; <em>it</em>.</p>"


def test_trust_keeps_all_that_a_page_may_hold() -> None:
    made = html(BODY, "trust")
    assert '<div data-x="1" role="note">' in made
    assert '<form action="/search"><input name="q"></form>' in made
    assert '<path d="M0 0h9"></path>' in html('<svg viewBox="0 0 9 9"><path d="M0 0h9"/></svg>', "trust")


@pytest.mark.parametrize(
    "attack",
    [
        "<script>alert(1)</script>",
        '<b onclick="alert(1)" style="color:red">x</b>',
        "<style>body{}</style>",
        '<iframe src="https://x.test"></iframe>',
        '<object data="x"></object><embed src="x"><base href="https://x.test">',
        '<a href="javascript:alert(1)">x</a>',
        '<svg><script>alert(1)</script><style>x</style><a href="javascript:x">y</a></svg>',
    ],
)
def test_even_trusted_html_holds_nothing_that_the_policy_of_a_page_forbids(attack: str) -> None:
    watch = Watch()
    watch.feed(html(attack, "trust"))
    assert [caught for caught in watch.caught if caught not in ("svg", "form", "input")] == []


def test_the_nearest_folder_decides_and_else_the_site(tmp_path: Path) -> None:
    write(tmp_path, "site.toml", 'raw_html = "escape"\n')
    write(tmp_path, "articles/x/_defaults.yaml", "raw_html: trust\n")
    write(tmp_path, "articles/x/y/_defaults.toml", 'raw-html = "sanitize"\nauthor = "Mara L"\n')
    for name in ("articles/a.md", "articles/x/b.md", "articles/x/y/c.md"):
        write(tmp_path, name, BARE)
    found = loaded(tmp_path)
    assert found.problems == []
    made = {source.rpartition("/")[2]: item.body.read().html for source, item in by_source(found).items()}
    assert "&lt;b&gt;" in made["a.md"]
    assert "<form" in made["b.md"]
    assert "<form" not in made["c.md"]
    assert "<b>" in made["c.md"]


def test_no_article_can_raise_its_own_trust(tmp_path: Path) -> None:
    write(tmp_path, "articles/a.md", BARE.replace("title: A", "title: A\nraw_html: trust"))
    found = loaded(tmp_path)
    assert "<form" not in found.articles[0].body.read().html
    assert "the key 'raw_html' is not known" in messages(found)[0]


def test_a_word_that_is_not_understood_keeps_the_folder_as_it_is(tmp_path: Path) -> None:
    write(tmp_path, "articles/x/_defaults.yaml", "raw_html: sanitise\n")
    write(tmp_path, "articles/x/a.md", BARE)
    found = loaded(tmp_path)
    assert found.failed == {"articles/x/a.md"}
    assert "write escape, sanitize, trust" in found.problems[0].hint
    assert found.problems[0].line == 1


def test_a_word_that_is_not_understood_in_the_site_means_the_strictest(tmp_path: Path) -> None:
    write(tmp_path, "site.toml", 'raw_html = "yes"\n')
    write(tmp_path, "articles/a.md", BARE)
    found = loaded(tmp_path)
    assert "&lt;b&gt;" in found.articles[0].body.read().html
    assert found.problems[0].message.startswith("raw_html: 'yes'")


def test_another_mode_is_another_rendering(tmp_path: Path) -> None:
    write(tmp_path, "articles/a.md", BARE)
    before = loaded(tmp_path).articles[0]
    write(tmp_path, "articles/_defaults.yaml", "raw_html: escape\n")
    after = loaded(tmp_path).articles[0]
    assert before.content_hash != after.content_hash
    assert before.body != after.body
