"""Directives: a closed set, nested freely, and never a template."""

from pathlib import Path

import pytest

from blog.content.markup import Text, render
from blog.content.references import Shelf
from tests.content.test_markup import NOWHERE, html, png


def problems(body: str, shelf: Shelf = NOWHERE) -> list[tuple[int | None, str, str]]:
    made = render(Text("articles/a.md", body, 5, "Title"), shelf)
    return [(problem.line, problem.message, problem.hint) for problem in made.problems]


def test_a_note_has_its_title_and_markdown_in_it() -> None:
    assert html("Before\n:::note Mind <this>\nSome *text*.\n:::\nAfter") == (
        '<p>Before</p>\n<aside class="admonition note"><p class="admonition-title">Mind &lt;this&gt;</p>\n'
        "<p>Some <em>text</em>.</p>\n</aside>\n<p>After</p>"
    )


@pytest.mark.parametrize("name", ["note", "tip", "info", "important", "warning", "caution", "danger"])
def test_without_a_title_a_note_is_called_what_it_is(name: str) -> None:
    made = html(f"::: {name}\nText.\n:::")
    assert f'<aside class="admonition {name}"><p class="admonition-title">{name.capitalize()}</p>' in made


def test_admonitions_as_other_tools_write_them_stay() -> None:
    assert '<div class="admonition note">' in html('!!! note "T"\n    Text.')


def test_details_open_on_demand_and_hold_code_that_shows_a_directive() -> None:
    made = html(":::details Why *so*\n```\n:::\n:::note\n```\n\n- one\n:::\nAfter")
    assert made.startswith("<details><summary>Why *so*</summary>")
    assert ":::\n:::note" in made
    assert made.index("<li>one</li>") < made.index("</details>") < made.index("After")


def test_directives_nest_and_stand_in_lists_and_quotes() -> None:
    made = html("::::warning\n:::details More\nInner.\n:::\nOuter.\n::::")
    assert made.index("Inner") < made.index("</details>") < made.index("Outer") < made.index("</aside>")
    listed = html("- one\n\n  :::tip\n  Two\n  :::\n- three")
    assert listed.count("<li>") == 2
    assert listed.index("<aside") < listed.index("three")
    assert "<blockquote>\n<aside" in html("> :::tip\n> Two\n> :::")


def test_a_figure_holds_anything_and_a_caption() -> None:
    made = html(":::figure What it shows\n| a | b |\n|---|---|\n| 1 | 2 |\n:::")
    assert made.startswith("<figure>")
    assert "<table>" in made
    assert made.endswith("<figcaption>What it shows</figcaption></figure>")


def test_a_pull_quote_names_who_said_it() -> None:
    assert html(":::pull Mara\nRetries are loans.\n:::") == (
        '<figure class="pull"><blockquote>\n<p>Retries are loans.</p>\n'
        "</blockquote><figcaption>Mara</figcaption></figure>"
    )


def test_a_film_is_the_sites_own_with_its_picture_size_and_captions(tmp_path: Path) -> None:
    (tmp_path / "articles").mkdir()
    for name in ("talk.mp4", "talk.vtt"):
        (tmp_path / "articles" / name).write_bytes(b"x")
    (tmp_path / "articles" / "talk.png").write_bytes(png(320, 180))
    body = ":::video talk.mp4 poster=talk.png captions=talk.vtt\nThe *talk*.\n:::"
    made = render(Text("articles/a.md", body, 1, "T"), Shelf(tmp_path))
    assert made.problems == []
    for part in (
        '<video src="/media/articles/talk.mp4"',
        'controls="" preload="metadata"',
        'poster="/media/articles/talk.png" width="320" height="180"',
        '<track kind="captions" src="/media/articles/talk.vtt" label="Captions">',
        '<a href="/media/articles/talk.mp4">Watch the film</a>',
        "The <em>talk</em>.",
    ):
        assert part in made.html, made.html


def test_a_film_elsewhere_is_a_link_and_a_missing_one_is_reported() -> None:
    made = html(":::video https://films.test/a.mp4\n:::")
    assert "<video" not in made
    assert '<a href="https://films.test/a.mp4" class="elsewhere"' in made
    raw = html('<video autoplay src="https://films.test/a.mp4"><source src="https://films.test/b"></video>')
    assert "autoplay" not in raw
    assert "src=" not in raw
    assert problems("x\n\n:::video gone.mp4\n:::")[0][:2] == (7, "the film gone.mp4 leads nowhere")


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("note2", "did you mean :::note?"),
        ("wraning", "did you mean :::warning?"),
        ("callout-tip", "did you mean :::tip?"),
        ("columns", "there are note, tip"),
    ],
)
def test_an_unknown_directive_is_reported_and_its_text_is_shown(name: str, hint: str) -> None:
    body = f"One\n\n:::{name} Title\n:::wrnng\nInner *text*.\n:::\n:::"
    found = problems(body)
    assert [(line, message) for line, message, _ in found] == [
        (7, f"there is no directive :::{name}"),
        (8, "there is no directive :::wrnng"),
    ]
    assert found[0][2].startswith(hint)
    assert html(body) == "<p>One</p>\n<p>Title</p>\n<p>Inner <em>text</em>.</p>"


def test_a_directive_that_is_not_closed_is_reported_and_runs_to_the_end() -> None:
    assert problems(":::note\nText")[0][:2] == (5, ":::note is not closed")
    assert html(":::note\nText").endswith("<p>Text</p>\n</aside>")


def test_what_stands_in_a_directive_is_never_a_template_and_never_active() -> None:
    made = html(":::note {{ 7*7 }} <script>\n{% raw %} {{ config }} <script>alert(1)</script>\n:::")
    assert "{{ 7*7 }} &lt;script&gt;" in made
    assert "{% raw %} {{ config }}" in made
    assert "<script" not in made
    assert " onerror" not in html(':::video x" onerror="alert(1)\n:::')
