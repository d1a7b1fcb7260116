"""HTML that leaves the site."""

from hypothesis import given
from hypothesis import strategies as st

from blog.site.absolute import absolute, without_forbidden

BASE = "https://news.example.org/articles/one"


def test_addresses_become_whole_and_everything_else_stays() -> None:
    html = (
        '<p class="x">a &lt; b &#8217;<br></p><a href="#why">why</a><img src="/m/a.png" alt="&quot;q&quot;">'
    )
    assert absolute(html, BASE) == (
        '<p class="x">a &lt; b &#8217;<br></p><a href="https://news.example.org/articles/one#why">why</a>'
        '<img src="https://news.example.org/m/a.png" alt="&quot;q&quot;">'
    )


def test_an_image_with_copies_becomes_the_image_alone() -> None:
    html = (
        '<p><picture><source type="image/avif" srcset="/pictures/480/a.png.avif 480w" sizes="38rem">'
        '<img src="/media/a.png" alt="A" width="9" srcset="/pictures/480/a.png.png 480w" sizes="38rem">'
        "</picture></p>"
    )
    plain = '<p><img src="https://news.example.org/media/a.png" alt="A" width="9"></p>'
    assert absolute(html, BASE) == plain


def test_addresses_elsewhere_and_mail_are_left_alone() -> None:
    html = '<a href="https://example.com/?a=1&amp;b=2">x</a><a href="mailto:a@example.org">y</a>'
    assert absolute(html, BASE) == html


def test_the_anchors_of_headings_are_left_out() -> None:
    assert (
        absolute('<h2 id="a">A<a class="anchor" href="#a">#</a></h2><p>b</p>', BASE)
        == '<h2 id="a">A</h2><p>b</p>'
    )


@given(st.text())
def test_text_without_forbidden_characters_is_what_xml_allows(text: str) -> None:
    kept = without_forbidden(text)
    assert all(char in "\t\n\r" or char >= " " for char in kept)
    assert "\ufffe" not in kept
    assert without_forbidden(kept) == kept


@given(st.text(alphabet="ab <>&;/=\"'#-!", max_size=60))
def test_no_text_breaks_the_rewriting(html: str) -> None:
    assert isinstance(absolute(html, BASE), str)
