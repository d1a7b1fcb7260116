"""HTML that leaves the site: for feed readers and mail."""

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from blog.content.elsewhere import CODE_STYLE, MARKED_STYLE, TOKENS, elsewhere, without_forbidden
from blog.content.markup import Text, render
from blog.content.references import Shelf
from tests.content.test_markup import html, png

BASE = "https://news.example.org/articles/one"


def sent(body: str) -> str:
    return elsewhere(html(body), BASE)


def test_addresses_become_whole_and_what_is_said_stays() -> None:
    given = (
        '<p class="x" id="y">a &lt; b <br></p><a href="#why">why</a><img src="/m/a.png" alt="&quot;q&quot;">'
    )
    assert elsewhere(given, BASE) == (
        '<p>a &lt; b <br></p><a href="https://news.example.org/articles/one#why">why</a>'
        '<img src="https://news.example.org/m/a.png" alt="&quot;q&quot;">'
    )


def test_addresses_elsewhere_and_mail_are_left_alone() -> None:
    given = '<a href="https://example.com/?a=1&amp;b=2">x</a><a href="mailto:a@example.org">y</a>'
    assert elsewhere(given, BASE) == given
    assert elsewhere('<a href="http://[x">x</a>', BASE) == '<a href="http://[x">x</a>'


def test_an_image_with_copies_becomes_the_image_alone(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(png(900, 300))
    made = render(Text("a.md", '![A](a.png)\n\n![B](a.png "B")', 1, "T"), Shelf(tmp_path)).html
    assert "srcset" in made
    image = '<img alt="{}" src="https://news.example.org/media/a.png" width="900" height="300">'
    assert elsewhere(made, BASE) == (
        f"<p>{image.format('A')}</p>\n<figure>{image.format('B')}<figcaption>B</figcaption></figure>"
    )


def test_nothing_of_the_page_is_left() -> None:
    made = sent(
        "## Head\n\nText[^1].\n\n| a |\n|--:|\n| 1 |\n\n- [x] done\n\n[^1]: Note.\n\n"
        "```python {1}\nx = 1\n```"
    )
    assert re.findall(r"\b(?:id|class|tabindex|role|aria-[a-z]+|loading|srcset)=", made) == []
    assert "<h2>Head</h2>" in made
    assert '<td style="text-align:right">1</td>' in made
    assert "☑ done" in made
    assert '<sup><a href="https://news.example.org/articles/one#fn:1">1</a></sup>' in made
    assert "↩" not in made


def test_code_brings_its_colours_and_its_ground_along() -> None:
    made = sent("```python {2}\n# c\ndef f(): return 'x'\n```")
    assert f'<pre style="{CODE_STYLE}"><code>' in made
    assert '<span style="color:#7a2d86">def</span>' in made
    assert f'<mark style="{MARKED_STYLE}">' in made


@pytest.mark.parametrize("colour", [colour for _, colour in TOKENS])
def test_every_colour_of_code_has_contrast_enough(colour: str) -> None:
    for ground in re.findall(r"background:(#\w+)", CODE_STYLE + MARKED_STYLE):
        light, dark = sorted((_luminance(ground), _luminance(colour)), reverse=True)
        assert (light + 0.05) / (dark + 0.05) >= 4.5


def _luminance(colour: str) -> float:
    parts = (int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5))
    red, green, blue = (
        part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def test_formulas_films_details_and_notes_become_what_everything_can_show() -> None:
    assert sent("So $x^2$.") == "<p>So <code>x^2</code>.</p>"
    assert (
        sent(":::details Why *so*\nText.\n:::")
        == "<div><p><strong>Why *so*</strong></p>\n<p>Text.</p>\n</div>"
    )
    assert sent(":::tip Do\nText.\n:::") == (
        "<blockquote><p><strong>Do</strong></p>\n<p>Text.</p>\n</blockquote>"
    )
    film = sent(":::video a.mp4 poster=b.jpg\nWhat it shows.\n:::")
    assert (
        '<a href="https://news.example.org/media/articles/a.mp4"><img src="https://news.example.org/' in film
    )
    assert "What it shows." in film
    assert ">Watch the film</a>" in sent(":::video a.mp4\n:::")


@given(st.text())
def test_text_without_forbidden_characters_is_what_xml_allows(text: str) -> None:
    kept = without_forbidden(text)
    assert all(char in "\t\n\r" or char >= " " for char in kept)
    assert "\ufffe" not in kept
    assert without_forbidden(kept) == kept


@given(st.text(alphabet="ab*_[]()`$:\n-#>|1.", max_size=60))
def test_whatever_is_rendered_can_be_sent(body: str) -> None:
    once = sent(body)
    assert elsewhere(once, BASE) == once
