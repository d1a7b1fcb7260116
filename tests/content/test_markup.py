"""From Markdown to a page: what writers expect, and what readers must be spared."""

import struct
import zlib
from html.parser import HTMLParser
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from blog.content import markup
from blog.content.markup import Rendered, Text, render
from blog.content.problems import Malformed
from blog.content.references import Shelf

NOWHERE = Shelf(Path("/nonexistent"))


def rendered(body: str, title: str | None = "Title", shelf: Shelf = NOWHERE) -> Rendered:
    return render(Text("articles/a.md", body, 1, title), shelf)


def html(body: str) -> str:
    return rendered(body).html


def test_code_is_highlighted_by_classes_and_can_be_scrolled_by_keyboard() -> None:
    made = html("```python\nprint('x < y')\n```")
    assert '<div class="highlight"><pre tabindex="0"><code><span class="nb">print</span>' in made
    assert "x &lt; y" in made


@pytest.mark.parametrize("info", ["rust,no_run", "js {3,5-7}", "{.python}", "nonsense", ""])
def test_whatever_stands_behind_a_fence_it_stays_a_code_block(info: str) -> None:
    assert html(f"Text:\n```{info}\nlet a\n```\nMore").count("<pre") == 1


def test_lines_named_behind_a_fence_are_marked() -> None:
    made = html("```python {2}\na = 1\nb = 2\n```")
    assert made.count('<mark class="hll">') == 1
    assert '<mark class="hll"><span class="n">b</span>' in made
    assert html("```\na\nb\nc\n```").count("mark") == 0


def test_code_may_have_the_name_of_its_file_over_it() -> None:
    made = html('```python {1} title="a<b>.py"\na = 1\n```')
    assert made.startswith(
        '<figure class="code"><figcaption>a&lt;b&gt;.py</figcaption><div class="highlight"><pre tabindex="0">'
    )
    assert made.count("hll") == 1


def test_a_fence_in_a_list_belongs_to_its_item() -> None:
    made = html("1. One:\n\n   ```sh\n   ls\n   ```\n\n2. Two")
    assert made.count("<ol>") == 1
    assert made.index("<pre") < made.index("Two")


def test_a_list_needs_no_empty_line_before_it_and_nests_by_two_spaces() -> None:
    made = html("Text:\n- one\n  - inner\n- two")
    assert "<p>Text:</p>" in made
    assert made.count("<ul>") == 2
    assert made.count("<li>") == 3


def test_a_number_at_the_start_of_a_wrapped_line_is_not_a_list() -> None:
    assert "<ol" not in html("It was in\n1986. A good year.")


def test_a_hash_without_a_space_is_text() -> None:
    assert html("#[derive(Debug)] is not a heading") == "<p>#[derive(Debug)] is not a heading</p>"


def test_markdown_between_html_tags_is_markdown() -> None:
    made = html("<details>\n<summary>More</summary>\n\nSome *text*.\n\n</details>")
    assert "<em>text</em>" in made
    assert made.startswith("<details>")


def test_references_to_code_and_bare_addresses_become_links() -> None:
    made = html("See [`Arc`] and https://example.org/x.\n\n[`Arc`]: https://docs.test/Arc")
    assert '<a href="https://docs.test/Arc" rel="noopener"><code>Arc</code></a>' in made
    assert '<a href="https://example.org/x" rel="noopener">https://example.org/x</a>.' in made


def test_a_footnote_right_behind_an_address_is_no_part_of_it() -> None:
    made = html("See https://example.org/a_b.[^1]\n\n[^1]: Note.")
    assert '<a href="https://example.org/a_b" rel="noopener">https://example.org/a_b</a>.<sup' in made


def test_two_references_side_by_side_stay_two() -> None:
    made = html("[one] [two]\n\n[one]: https://a.test/1\n[two]: https://a.test/2")
    assert 'href="https://a.test/1"' in made
    assert 'href="https://a.test/2"' in made


def test_the_title_is_not_repeated_and_levels_follow_it() -> None:
    made = rendered("# The Title!\n\n### First\n\n#### Second", title="The title")
    assert "The Title" not in made.html
    assert [(entry["level"], entry["id"]) for entry in made.headings] == [(2, "first"), (3, "second")]


def test_without_a_title_the_first_heading_is_it() -> None:
    made = rendered("# From the *text*\n\nHello", title=None)
    assert made.title == "From the text"
    assert made.html == "<p>Hello</p>"


def test_another_h1_goes_one_level_down() -> None:
    made = rendered("# Part\n\n## Inner")
    assert '<h2 id="part">' in made.html
    assert '<h3 id="inner">' in made.html


def test_every_heading_links_to_itself_by_name() -> None:
    made = html("## A *fine* one")
    assert made == (
        '<h2 id="a-fine-one">A <em>fine</em> one'
        '<a class="anchor" href="#a-fine-one" aria-label="Link to section: A fine one">#</a></h2>'
    )


def test_equal_headings_get_different_ids() -> None:
    assert [entry["id"] for entry in rendered("## Same\n\n## Same").headings] == ["same", "same_1"]


def test_ids_of_the_page_around_are_not_used_twice() -> None:
    made = html('## Related\n\n[there](#related)\n\n<p id="main">x</p>\n<p id="y">x</p>\n<p id="y">x</p>')
    assert 'id="text-related"' in made
    assert made.count('href="#text-related"') == 2
    assert 'id="text-main"' in made
    assert made.count('id="y"') == 1


def test_wide_tables_scroll_and_are_told_apart() -> None:
    table = "| a | b |\n|---|--:|\n| 1 | 2 |\n\n"
    assert '<div class="scroll" tabindex="0" role="region" aria-label="Table"><table>' in html(table)
    both = html(f"{table}Text\n\n{table}")
    assert 'aria-label="Table 1"' in both
    assert 'aria-label="Table 2"' in both
    assert '<td class="align-right">2</td>' in both
    assert "style=" not in both


def test_tasks_show_a_mark_with_a_name() -> None:
    made = html("- [ ] later\n- [x] done")
    assert made.count('role="img"') == 2
    assert 'aria-label="to do"' in made
    assert "input" not in made


def test_footnotes_lead_there_and_back() -> None:
    made = html("Text[^1].\n\n[^1]: Note.")
    assert 'href="#fn:1"' in made
    assert 'id="fn:1"' in made
    assert 'aria-label="Jump back to footnote 1 in the text"' in made


@pytest.mark.parametrize(
    "attack",
    [
        "<script>alert(1)</script>",
        '<img src="x" onerror="alert(1)">',
        "[x](javascript:alert(1))",
        "[x](data:text/html;base64,AAAA)",
        '<iframe src="https://evil.test"></iframe>',
        '<form action="https://evil.test"><input name="email"></form>',
        '<p style="position:fixed">x</p>',
        '<svg onload="alert(1)"><script>alert(1)</script></svg>',
        "<style>body{display:none}</style>",
        '<a href="vbscript:x" onclick="alert(1)">x</a>',
        '<object data="x"></object><embed src="x"><base href="https://evil.test">',
        '<noscript><p title="</noscript><img src=x onerror=alert(1)>"></noscript>',
        "```\n</code></pre><script>alert(1)</script>\n```",
        "`</code><script>alert(1)</script>`",
        '## <img src=x onerror=alert(1)> "><script>alert(1)</script>',
    ],
)
def test_nothing_active_gets_through(attack: str) -> None:
    for body in (attack, f"> {attack}", f"- {attack}", f"<div>\n{attack}\n</div>", f"<div>\n\n{attack}"):
        watch = Watch()
        watch.feed(html(body))
        assert watch.caught == []


class Watch(HTMLParser):
    """Catches everything in a page that could act."""

    def __init__(self) -> None:
        super().__init__()
        self.caught: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in (
            "script",
            "style",
            "iframe",
            "form",
            "input",
            "object",
            "embed",
            "base",
            "svg",
            "noscript",
        ):
            self.caught.append(tag)
        for name, value in attrs:
            active = name.startswith("on") or name == "style"
            address = name in ("href", "src") and (value or "").lower().startswith(
                ("javascript", "data", "vb")
            )
            if active or address:
                self.caught.append(f"{name}={value}")


def test_an_image_of_the_site_gets_its_size_and_waits_below_the_first(tmp_path: Path) -> None:
    (tmp_path / "articles").mkdir()
    (tmp_path / "articles" / "a b.png").write_bytes(png(30, 20))
    (tmp_path / "static").mkdir()
    svg = '<?xml version="1.0"?>\n<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 64 32"></svg>'
    (tmp_path / "static" / "x.svg").write_text(svg)
    made = rendered("![One](a%20b.png)\n\n![](/x.svg)", shelf=Shelf(tmp_path))
    assert (
        '<img alt="One" src="/media/articles/a%20b.png" width="30" height="20" fetchpriority="high">'
        in made.html
    )
    assert '<img alt="" src="/media/static/x.svg" width="64" height="32" loading="lazy">' in made.html
    assert made.problems == []


def test_an_image_alone_with_a_title_is_a_figure(tmp_path: Path) -> None:
    made = rendered('![Alt](a.png "What it shows")', shelf=Shelf(tmp_path))
    assert made.html.startswith('<figure><img alt="Alt" src="/media/articles/a.png" fetchpriority="high">')
    assert "<figcaption>What it shows</figcaption>" in made.html


def test_a_missing_image_is_named_with_its_line(tmp_path: Path) -> None:
    made = render(Text("articles/a.md", "Text\n\n![x](gone.png)", 10, "T"), Shelf(tmp_path))
    assert [(problem.line, problem.message) for problem in made.problems] == [
        (12, "the image gone.png leads nowhere")
    ]


def test_no_image_outside_the_content_folder_is_served(tmp_path: Path) -> None:
    (tmp_path / "secret.png").write_bytes(png(1, 1))
    content = tmp_path / "content"
    content.mkdir()
    for address in ("../../secret.png", "/../secret.png", "%2e%2e/%2e%2e/secret.png", "/.git/x.png"):
        assert "width" not in rendered(f"![x]({address})", shelf=Shelf(content)).html


def test_an_image_elsewhere_becomes_a_link() -> None:
    made = rendered("![A map](https://cdn.test/a.png) [![badge](https://cdn.test/b.png)](https://x.test)")
    assert '<a href="https://cdn.test/a.png" class="elsewhere">A map (cdn.test)</a>' in made.html
    assert "<img" not in made.html
    assert made.images_elsewhere == 2


def png(width: int, height: int) -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    rows = zlib.compress(b"".join(b"\0" + b"\0" * width for _ in range(height)))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def test_links_to_files_become_links_to_articles() -> None:
    shelf = Shelf(
        Path("/nonexistent"),
        {"articles/b.md": "b", "articles/inner/c.md": "c"},
        {"/articles/b": "b", "/2020/01/c.html": "c"},
        {"pages/about.md": "about"},
    )
    made = rendered(
        "[1](b.md#x) [2](@/inner/c.md) [3](/2020/01/c.html) [4](gone.md) [5](#h) [6](../pages/about.md#us)",
        shelf=shelf,
    )
    for address in ("/articles/b#x", "/articles/c", "gone.md", "#h", "/about#us"):
        assert f'href="{address}"' in made.html
    assert made.links == ["b", "c"]
    assert [problem.message for problem in made.problems] == ["the link gone.md leads nowhere"]


def test_the_plain_text_is_prose_without_code_or_marks() -> None:
    made = rendered("## Head\n\nOne *two*[^1].\n\n```\ncode\n```\n\n[^1]: Note.")
    assert made.text == "Head\nOne two.\nNote."
    assert made.words == 4


def test_reading_time_counts_code_half() -> None:
    assert rendered("word " * 460).minutes == 2
    assert rendered("```\n" + "word " * 460 + "\n```").minutes == 1
    assert rendered("").minutes == 1


def test_the_opening_is_the_first_running_text() -> None:
    made = rendered("![x](a.png)\n\n> A quote first.\n\nHello!\n\nThis is what the article is about, really.")
    assert made.opening == "Hello! This is what the article is about, really."


def test_a_text_that_breaks_the_parser_is_a_problem_of_its_own() -> None:
    with pytest.raises(Malformed) as caught:
        rendered(">" * 3_000 + " deep")
    assert caught.value.problem.file == "articles/a.md"
    assert html("fine") == "<p>fine</p>"


def test_no_note_of_one_text_is_left_in_the_next() -> None:
    assert "footnote" in html("A[^1].\n\n[^1]: Note.")
    assert html("B[^1].") == "<p>B[^1].</p>"


@settings(max_examples=60, deadline=None)
@given(st.text(alphabet=st.sampled_from(list("ab <>[]()*_`#-+=|!\"'\n\t1.~^&:/\\{}")), max_size=120))
def test_any_text_renders_or_is_explained(body: str) -> None:
    try:
        made = rendered(body)
    except Malformed:
        return
    assert made.html == markup.render(Text("articles/a.md", body, 1, "Title"), NOWHERE).html


def test_a_text_says_the_words_nobody_wrote_in_its_own_language() -> None:
    body = (
        "## Eins\n\n- [x] da\n\n:::note\nHallo[^1].\n:::\n\n:::details\nMehr dazu.\n:::\n\n"
        "a | b\n--|--\n1 | 2\n\n[^1]: Fuß."
    )
    made = render(Text("articles/a.md", body, language="de-AT"), NOWHERE).html
    for word in ("Hinweis</p>", "<summary>Mehr<", '"erledigt"', '"Tabelle"', '"Link zum Abschnitt: Eins"'):
        assert word in made, word
    assert "Zurück zu Fußnote 1 im Text" in made
    assert "Hinweis" not in render(Text("articles/a.md", body), NOWHERE).html
