"""docs/writing.md, rendered by the product itself, every example in it with what it promises."""

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from blog.content.checks.report import check
from blog.content.markup import Text, render
from blog.content.references import Shelf
from blog.settings import ROOT
from tests.content.test_markup import png

PAGE = (ROOT / "docs" / "writing.md").read_text()
EXAMPLES = [found[1] for found in re.findall(r"(?ms)^(`{3,})markdown\n(.*?)^\1$", PAGE)]
#: How an example begins → what a reader gets of it.
PROMISES: dict[str, tuple[str, ...]] = {
    "---\ntitle: What the Queue": (),  # a whole file; it has its own test
    "See [the other": (
        '<a href="/articles/running">',
        '<a href="https://example.org" rel="noopener">',
        'class="note note-1"',
        '<td class="align-right">2.0</td>',
        'aria-label="done">☑',
    ),
    "```python": ("<figcaption>app/queue.py</figcaption>", '<mark class="hll"><span class="k">def</span>'),
    ":::note": (
        '<p class="admonition-title">What the model leaves out</p>',
        "<summary>The proof</summary>",
        "<figcaption>Times under load</figcaption></figure>",
        '<figure class="pull"><blockquote>',
    ),
    ":::video": (
        '<video src="/media/articles/talk.mp4"',
        'poster="/media/articles/talk.png" width="320" height="180"',
        '<track kind="captions" src="/media/articles/talk.vtt"',
    ),
    "With $L$": (
        'alttext="L"',
        "it costs $5 and not $10:",
        '<math display="block" alttext="L = \\lambda W">',
    ),
    "Write {{": ("Write {{ name }} and {% raw %} to say so.",),
    "Press <kbd>": ("<p>Press <kbd>Ctrl</kbd> </p>",),
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "articles").mkdir()
    for name in ("talk.mp4", "talk.vtt"):
        (tmp_path / "articles" / name).write_bytes(b"x")
    (tmp_path / "articles" / "talk.png").write_bytes(png(320, 180))
    return tmp_path


def test_every_example_is_known_here() -> None:
    assert len(EXAMPLES) == len(PROMISES)


@pytest.mark.parametrize("begins", PROMISES, ids=lambda text: text[:12])
def test_an_example_gives_what_the_page_says(folder: Path, begins: str) -> None:
    (example,) = [example for example in EXAMPLES if example.startswith(begins)]
    shelf = Shelf(folder, {"articles/running.md": "running"}, {"/articles/running": "running"})
    made = render(Text("articles/a.md", example, 1, "Title"), shelf)
    assert made.problems == []
    for promise in PROMISES[begins]:
        assert promise in made.html


def test_the_page_itself_is_an_article_without_a_mistake(folder: Path) -> None:
    header = EXAMPLES[0].partition("The first")[0].replace("topics", "# topics").replace("author", "# author")
    (folder / "articles" / "writing.md").write_text(header + PAGE)
    report = check(folder, datetime(2026, 12, 1, tzinfo=UTC))
    assert report.problems == []
    assert report.articles == 1
