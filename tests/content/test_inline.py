"""Trying inline patterns only where their signs are, and reading HTML as XML, change nothing but the time."""

import re
from html import unescape

import nh3
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown import Markdown
from markdown.extensions.md_in_html import HtmlBlockPreprocessor
from markdown.extensions.smarty import makeExtension
from markdown.extensions.toc import TocExtension, slugify_unicode
from markdown.inlinepatterns import BACKTICK_RE, BacktickInlineProcessor, DelimiterProcessor
from markdown.preprocessors import NormalizeWhitespace
from markdown.treeprocessors import InlineProcessor, UnescapeTreeprocessor

from blog.content import tree
from blog.content.dialect import new_markdown
from blog.content.inline import SIGNS
from blog.content.passes import Attributes, Text

PIECES = st.sampled_from(
    [
        *("word", " ", "\n", "  \n", "*", "**", "_", "`", "``", "[", "](", ")", "![", "[^1]", "\\", "<b>"),
        *("</b>", "&amp;", "&", "~~", "https://example.org/a", "<https://example.org>", "<a@example.org>"),
        *("$", "$x$", "'", '"', "...", "\"'", "'\"", "'90s", "it's", "--", "a]", "[a]: /b", "#", "\n\n"),
        *(
            "- ",
            "| a | b |\n|-|-|\n",
            "\n: ",
            "\n    ",
            "\n===\n",
            "\n---\n",
            "1. ",
            "!!! note\n",
            "*[word]: Long",
            "> ",
        ),
        *(
            "{#a .b}",
            "\n  \n",
            "\t",
            "\r\n",
            "# ",
            "## a",
            "<!-- {: #a} -->",
            "{: data-toc-label='x'}",
            "\\*",
        ),
        *("\n{: .x}", "[^1]: A note", "<div markdown>", "</div>", "|", "a|b\n-|-\n"),
    ]
)


#: The library writes entities, we the signs; the sanitiser makes no difference between them.
SIGN = re.compile("&(?:[lr][sd]quo|hellip);")


def as_the_library_does(text: str) -> str:
    markdown: Markdown = new_markdown()
    markdown.treeprocessors.register(InlineProcessor(markdown), "inline", 20)
    markdown.inlinePatterns.register(BacktickInlineProcessor(BACKTICK_RE), "backtick", 190)
    emphasis = DelimiterProcessor("*", "strong,em", markdown)
    emphasis.add("_", "strong,em", smart=True)
    markdown.inlinePatterns.register(emphasis, "em_strong", 60)
    markdown.parser.blockprocessors.deregister("plain")
    del markdown.parser.parseBlocks
    markdown.preprocessors.register(NormalizeWhitespace(markdown), "normalize_whitespace", 30)
    makeExtension(smart_dashes=False).extendMarkdown(markdown)
    TocExtension(marker="", slugify=slugify_unicode).extendMarkdown(markdown)
    markdown.treeprocessors.register(UnescapeTreeprocessor(markdown), "unescape", 0)
    markdown.preprocessors.register(HtmlBlockPreprocessor(markdown), "html_block", 20)
    everywhere = Text(markdown)
    markdown.treeprocessors.register(Attributes(markdown, everywhere), "attr_list", 8)
    everywhere.run(["{"])
    return SIGN.sub(lambda sign: unescape(sign[0]), markdown.convert(text))


@settings(deadline=None, max_examples=300)
@given(st.lists(PIECES, max_size=25))
def test_a_text_reads_as_the_library_reads_it(pieces: list[str]) -> None:
    text = "".join(pieces)
    assert new_markdown().convert(text) == as_the_library_does(text)


def test_every_pattern_is_known_by_its_sign() -> None:
    markdown = new_markdown()
    names = {item.name for item in markdown.inlinePatterns._priority}
    assert names == set(SIGNS)


@settings(deadline=None, max_examples=300)
@given(st.text(alphabet="ab<>/=\"'&;!- \n\t\r\x0b\xa0é\x01", max_size=80) | st.lists(PIECES).map("".join))
def test_sanitised_html_makes_the_same_tree_by_either_parser(html: str) -> None:
    clean = nh3.clean(html)
    assert tree.serialised(tree.parse(clean)) == tree.serialised(tree.parse_html(clean))


@pytest.mark.parametrize(
    "html",
    [
        'a<br>b<img src="/a>b" alt="x &amp; &quot;y&quot;">c<hr>',
        '<p title="two\nlines">&nbsp;x\u00a0y</p>',
        "<pre>\n  code\r\n</pre>",
        '<svg viewBox="0 0 1 1" xlink:href="#a"></svg>',
        "a < b & c",
    ],
)
def test_odd_html_makes_the_same_tree_by_either_parser(html: str) -> None:
    assert tree.serialised(tree.parse(html)) == tree.serialised(tree.parse_html(html))
