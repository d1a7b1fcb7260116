"""One small file for each oddity of the blogs people bring along, in the styles of six tools and of none."""

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

from blog.content.values import ArticleFile, Library
from tests.content.folders import loaded

FOLDER = Path(__file__).parent / "oddities"


@dataclass(frozen=True)
class Outcome:
    """What a file must give; `said` is the one line of problem it causes, with its number."""

    title: str | None = None
    slug: str | None = None
    date: str | None = None
    topics: str = ""
    authors: str = ""
    status: str | None = None
    aliases: str = ""
    said: tuple[int | None, str] | None = None


def gives(
    title: str, slug: str, date: str | None = "2021-03-04", status: str = "published", **more
) -> Outcome:
    return Outcome(title, slug, date, status=status, **more)


def left_out(line: int | None, message: str) -> Outcome:
    return Outcome(said=(line, message))


NOTHING = Outcome()

#: File → what it gives. A date without a time is midnight in UTC; None is the time of the file.
OUTCOMES = {
    # astro
    "astro/components.mdx": gives("Components in the text", "components"),
    "astro/folder/index.md": gives("A post in a folder", "folder", topics="harbour lamps", status="draft"),
    "astro/milliseconds.md": gives(
        "Down to the millisecond", "milliseconds", date="2021-03-04T10:00:00", authors="Mara Lindqvist"
    ),
    "astro/quoted-date.md": gives("A date in quotes", "quoted-date"),
    "astro/related-posts.md": gives(
        "Picked by hand", "related-posts", said=(4, "related: there is no article 'milisecond'")
    ),
    # eleventy
    "eleventy/json-between-dashes.md": gives("A header in JSON", "json-between-dashes"),
    "eleventy/script-header.md": left_out(1, "the header is a program, which is never run"),
    "eleventy/tags-in-a-string.md": gives(
        "A collection",
        "tags-in-a-string",
        topics="posts",
        said=(6, "the key 'eleventyExcludeFromCollections' is not known (in 1 file)"),
    ),
    "eleventy/us-date-undeclared.md": left_out(3, "date: '03/04/2021' is not understood"),
    # hugo
    "hugo/_index.md": NOTHING,
    "hugo/a name with spaces & more #1.md": gives("Spaces in the name", "a-name-with-spaces-more-1"),
    "hugo/aliases-and-expiry.md": gives(
        "Old addresses", "aliases-and-expiry", aliases="/once/here /and/there"
    ),
    "hugo/colon-in-the-title.md": left_out(
        2, "the YAML header is malformed: mapping values are not allowed here"
    ),
    "hugo/conf-lineup@2.md": gives("An at sign in the name", "conf-lineup-2"),
    "hugo/dated-bundles/2021-03-04-dated-bundle/index.md": gives("Dated by its folder", "dated-bundle"),
    "hugo/größe.md": gives("Größe", "grosse"),
    "hugo/json-header.md": gives("Braces", "json-header", topics="harbour"),
    "hugo/leaf-bundle/index.md": gives(
        "A folder of its own", "leaf-bundle", topics="harbour", authors="Mara Lindqvist; Jonas Keel"
    ),
    "hugo/never-closed.md": left_out(1, "the header opened with --- is never closed"),
    "hugo/published-is-a-date.md": gives(
        "A date under another name",
        "published-is-a-date",
        date="2021-03-04T10:00:00",
        aliases="/redirect-stub /articles/redirect-stub",
    ),
    "hugo/redirect-stub.md": NOTHING,
    "hugo/redirect-to-nowhere.md": left_out(
        2, "redirect: /articles/nowhere is not the address of an article here"
    ),
    "hugo/slug-with-capitals.md": gives(
        "A slug as typed",
        "the-lamp-again",
        said=(4, "slug: 'The Lamp, Again!' cannot stand in an address; 'the-lamp-again' is used"),
    ),
    "hugo/toml-native-date.md": gives(
        "A date without quotes", "toml-native-date", date="2021-03-04T09:00:00", topics="harbour"
    ),
    "hugo/toml-without-quotes.md": left_out(4, "the TOML header is malformed: Invalid value"),
    "hugo/灯台.md": gives("灯台", "xf2df7bb7"),
    # jekyll
    "jekyll/_drafts/in-the-drafts-folder.md": gives("Not yet", "in-the-drafts-folder", status="draft"),
    "jekyll/_posts/2021-03-04-Mixed-Case-Name.md": gives("Mixed case", "mixed-case-name"),
    "jekyll/_posts/2021-03-04-author-with-a-role.md": gives(
        "One person and a role", "author-with-a-role", authors="Mara Lindqvist, for the harbour crew"
    ),
    "jekyll/_posts/2021-03-04-authors-string-with-commas.md": gives(
        "Two people in a string", "authors-string-with-commas", authors="Mara Lindqvist; Jonas Keel"
    ),
    "jekyll/_posts/2021-03-04-broken-seconds.md": gives(
        "A colon too many", "broken-seconds", date="2021-03-04T03:10:00"
    ),
    "jekyll/_posts/2021-03-04-categories-in-one-string.md": gives(
        "One string, two topics", "categories-in-one-string", topics="news harbour"
    ),
    "jekyll/_posts/2021-03-04-categories-with-spaces.md": gives(
        "One topic of two words", "categories-with-spaces", topics="harbour-news"
    ),
    "jekyll/_posts/2021-03-04-category-and-categories.md": gives(
        "Both spellings", "category-and-categories", topics="news harbour"
    ),
    "jekyll/_posts/2021-03-04-crlf.md": gives("Lines of another system", "crlf", topics="harbour"),
    "jekyll/_posts/2021-03-04-date-in-the-name-only.md": gives("Dated by its name", "date-in-the-name-only"),
    "jekyll/_posts/2021-03-04-date-with-a-slip.md": left_out(3, "date: '2021-02-30' is not understood"),
    "jekyll/_posts/2021-03-04-duplicate-keys.md": gives(
        "A key twice",
        "duplicate-keys",
        topics="harbour",
        said=(4, "the key 'category' is given twice; this one is used"),
    ),
    "jekyll/_posts/2021-03-04-empty-lists.md": gives("Nothing in the lists", "empty-lists"),
    "jekyll/_posts/2021-03-04-exclamation-mark-title.md": gives(
        "Release 0.9: smaller, and quieter", "exclamation-mark-title"
    ),
    "jekyll/_posts/2021-03-04-heading-beside-the-title.md": gives("Said first", "heading-beside-the-title"),
    "jekyll/_posts/2021-03-04-heading-repeats-the-title.md": gives("Said once", "heading-repeats-the-title"),
    "jekyll/_posts/2021-03-04-html-body.markdown": gives("HTML all through", "html-body"),
    "jekyll/_posts/2021-03-04-layout-and-other-keys.md": gives(
        "Keys of a theme", "layout-and-other-keys", said=(3, "the key 'layout' is not known (in 1 file)")
    ),
    "jekyll/_posts/2021-03-04-literal-braces.md": gives("Braces stay", "literal-braces"),
    "jekyll/_posts/2021-03-04-name-and-header-disagree.md": gives(
        "Two dates", "name-and-header-disagree", date="2021-03-06"
    ),
    "jekyll/_posts/2021-03-04-no-seconds.md": gives("No seconds", "no-seconds", date="2021-03-04T19:00:00"),
    "jekyll/_posts/2021-03-04-one-digit-month.md": gives("One digit", "one-digit-month"),
    "jekyll/_posts/2021-03-04-permalink-pattern.md": gives("A pattern", "permalink-pattern"),
    "jekyll/_posts/2021-03-04-permalink.md": gives(
        "An address of its own", "the-lamp", aliases="/lights/the-lamp.html"
    ),
    "jekyll/_posts/2021-03-04-published-is-a-boolean.md": gives(
        "Kept back", "published-is-a-boolean", status="draft"
    ),
    "jekyll/_posts/2021-03-04-redirect-from.md": gives(
        "Moved here", "redirect-from", aliases="/old/moved.html"
    ),
    "jekyll/_posts/2021-03-04-same-name.md": gives("The first of a name", "same-name"),
    "jekyll/_posts/2021-03-04-weekday-date.md": gives(
        "As a terminal prints it", "weekday-date", date="2021-03-04T09:21:31"
    ),
    "jekyll/_posts/2021-03-04-yaml-zone-without-colon.md": gives(
        "A zone without a colon", "yaml-zone-without-colon", date="2021-03-05T02:00:00"
    ),
    "jekyll/_posts/2021-03-04-year-said-twice.md": gives(
        "The year twice", "year-said-twice", date="2021-03-05T02:30:22"
    ),
    "jekyll/_posts/2022-03-04-same-name.md": gives(
        "The second of a name",
        "same-name-2022-03-04",
        date="2022-03-04",
        said=(
            2,
            "articles/jekyll/_posts/2021-03-04-same-name.md has the address /articles/same-name; "
            "this file gets /articles/same-name-2022-03-04",
        ),
    ),
    # lektor
    "lektor/contents.lr": left_out(None, ".lr files are not published"),
    # pelican
    "pelican/bom.md": gives("A mark in front", "bom"),
    "pelican/key-twice.md": gives(
        "A key twice",
        "key-twice",
        topics="lamps",
        said=(4, "the key 'Tags' is given twice; this one is used"),
    ),
    "pelican/line-without-a-key.md": left_out(2, "this header line is not `Key: value`"),
    "pelican/metadata-lines.md": gives(
        "Lines before the text",
        "lines-before-the-text",
        date="2021-03-04T10:00:00",
        topics="lamps boats harbour",
        authors="Lindqvist, Mara; Keel, Jonas",
    ),
    "pelican/prose-with-a-colon.md": gives("A note", "prose-with-a-colon", date=None, topics="pelican"),
    "pelican/status-hidden.md": gives("Only by its address", "status-hidden", status="hidden"),
    "pelican/unlike-utf-8.md": left_out(1, "byte 0xe9 is not UTF-8"),
    # quarto
    "quarto/_defaults.yaml": NOTHING,
    "quarto/a-folder/index.qmd": gives("Another ending", "a-folder", authors="Mara Lindqvist"),
    "quarto/date-is-a-word.md": gives("Whenever it was saved", "date-is-a-word", date=None),
    "quarto/day-and-month.md": gives(
        "The day first, said by the file itself", "day-and-month", date="2021-03-04T09:30:00"
    ),
    "quarto/us-date.md": gives(
        "The month first", "us-date", topics="harbour", authors="Mara Lindqvist; Jonas Keel"
    ),
    # sqlite
    "sqlite/empty.md": left_out(None, "there is neither a title nor a text"),
    "sqlite/html-heading.md": gives("A heading in HTML", "html-heading", date=None, topics="sqlite"),
    "sqlite/no-header-no-heading.md": gives(
        "No header no heading", "no-header-no-heading", date=None, topics="sqlite"
    ),
    "sqlite/no-header.md": gives("Only a heading", "no-header", date=None, topics="sqlite"),
    "sqlite/rule-first.md": gives("Rule first", "rule-first", date=None, topics="sqlite"),
    # zola
    "zola/2021-03-04_underscore-after-the-date.md": gives("An underscore", "underscore-after-the-date"),
    "zola/toml-path-date.md": gives(
        "Dated by its address",
        "dated-by-its-address",
        topics="harbour lamps",
        authors="Mara Lindqvist",
        aliases="/2021/03/04/dated-by-its-address",
    ),
    "zola/updated.md": gives("Mended later", "updated"),
}


@cache
def library() -> Library:
    return loaded(FOLDER)


def outcome(article: ArticleFile | None, said: tuple[int | None, str] | None) -> Outcome:
    if article is None:
        return Outcome(said=said)
    written = article.published_at.isoformat()[:19].removesuffix("T00:00:00")
    return Outcome(
        article.title,
        article.slug,
        written if article.dated else None,
        " ".join(article.topics),
        "; ".join(article.authors),
        article.status,
        " ".join(article.aliases),
        said,
    )


@pytest.mark.parametrize("name", OUTCOMES)
def test_an_oddity_gives_what_its_writer_meant(name: str) -> None:
    source = f"articles/{name}"
    said = [
        (problem.line, problem.message)
        for problem in library().problems
        if problem.file == source and "no date" not in problem.message
    ]
    assert len(said) <= 1
    article = next((item for item in library().articles if item.source == source), None)
    assert outcome(article, said[0] if said else None) == OUTCOMES[name]


def test_every_sample_is_in_the_table() -> None:
    files = {path.relative_to(FOLDER / "articles").as_posix() for path in FOLDER.rglob("*") if path.is_file()}
    assert files - {"hugo/leaf-bundle/lamp.svg"} == set(OUTCOMES)


def test_the_files_whose_own_time_is_used_are_counted_once() -> None:
    undated = [name for name, outcome in OUTCOMES.items() if outcome.title and outcome.date is None]
    said = [problem.message for problem in library().problems if "no date" in problem.message]
    assert said == [f"{len(undated)} files have no date; the file's modification time is used"]


@pytest.mark.parametrize(
    ("name", "html"),
    [
        ("jekyll/_posts/2021-03-04-html-body.markdown", '<pre tabindex="0"><code>x &lt; 1</code></pre>'),
        ("jekyll/_posts/2021-03-04-html-body.markdown", "<p>After the *list*, still text.</p>"),
        ("jekyll/_posts/2021-03-04-literal-braces.md", "{{ page.title }}, or {% raw %}."),
        ("jekyll/_posts/2021-03-04-heading-beside-the-title.md", '<h2 id="said-second">Said second'),
        ("hugo/leaf-bundle/index.md", '/media/articles/hugo/leaf-bundle/lamp.svg" width="8" height="6"'),
    ],
)
def test_a_body_is_shown_as_it_was_meant(name: str, html: str) -> None:
    assert html in next(
        item.body.read().html for item in library().articles if item.source == f"articles/{name}"
    )


@pytest.mark.parametrize(
    ("name", "html"),
    [
        ("jekyll/_posts/2021-03-04-html-body.markdown", "alert"),
        ("jekyll/_posts/2021-03-04-heading-repeats-the-title.md", "Said once"),
        ("astro/components.mdx", "import"),
        ("astro/components.mdx", "export"),
    ],
)
def test_what_is_no_text_is_not_shown(name: str, html: str) -> None:
    assert html not in next(
        item.body.read().html for item in library().articles if item.source == f"articles/{name}"
    )
