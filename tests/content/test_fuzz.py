"""Whatever bytes lie in a content folder: everything is published or explained, and no error escapes."""

import json
import tempfile
from dataclasses import asdict
from pathlib import Path

from hypothesis import example, given, settings
from hypothesis import strategies as st

from blog import clock
from blog.content import fields
from blog.content.library import load
from tests.content.folders import write

KEYS = st.sampled_from(
    sorted(
        {
            *fields.TITLE, *fields.DATE, *fields.UPDATED, *fields.EXPIRES, *fields.STATUS,
            *fields.DESCRIPTION, *fields.TOPICS, *fields.AUTHORS, *fields.LANGUAGE, *fields.ADDRESS,
            *fields.ALIASES,
            *fields.REDIRECT, *fields.PINNED, *fields.IMAGE, *fields.CONTAINERS, *fields.DATE_ORDER,
            "slug", "series", "keywords", "taxonomies", "Title", "pub_date", "unheard_of", "name", "timezone",
            "navigation", "topics", "authors", "digests", "signup", "accent", "language",
        }
    )
)  # fmt: skip
VALUES = st.one_of(
    st.text(max_size=12),
    st.sampled_from(
        [
            "", "null", "true", "2021-03-04", "03/04/2021", "2021-02-30", "9999-12-31T23:59:59-12:00", "0",
            "1e400", ".nan", "nan", "inf", "[a, b]", "[[a]]", "{a: b}", "&a [*a]", "*a", "!!python/name:os x",
            '"\\ud800"', '"\\u0000"', "'", "|", ">\n  text", "a, B C; d", "/old", "//host", "../..", "~",
            "month-first", "[", "{", "Europe/Berlin", "../../etc/passwd", "99999999999999", "-1", "a: b",
            "\x85", "\u2028",
        ]
    ),
)  # fmt: skip
ROWS = st.lists(st.tuples(KEYS, VALUES), max_size=5)
PARTS = st.sampled_from(
    [
        "# A\n", "## A\n", "\n", "    ", "```", "```py {1-9}\n", "~~~\n", "> ", "- [x] a\n", "1. a\n", "[^1]",
        "[^1]: a\n", "| a | b |\n|---|---|\n", "![](x.png)", "[a](#b)", "[a](a.md)", "<p>", "</p>",
        "<details>", "<script>",
        "<!--", "-->", "<a b='", "&#x110000;", "&amp;", "{{ x }}", "{% x %}", "{: #id .c }", "!!! note\n",
        "$$x$$",
        "*[A]: b\n", "***", "__", "\\", "`", "http://[", "\x00", "\ufeff", "\u202e", "\r", "\t", "::: note\n",
        "<svg/onload=x>", "---\n",
    ]
)  # fmt: skip
BODIES = st.one_of(st.lists(PARTS, max_size=12).map("".join), st.text(max_size=60))
NAMES = st.sampled_from(
    [
        "articles/a.md", "articles/2021-03-04-a.markdown", "articles/a/index.mdx", "articles/_drafts/b.qmd",
        "articles/x/_defaults.yaml", "articles/x/a.md", "articles/_defaults.toml", "pages/p.md", "site.toml",
    ]
)  # fmt: skip


def yaml(rows: list[tuple[str, str]]) -> str:
    return "\n".join(f"{key}: {value}" for key, value in rows)


def toml(rows: list[tuple[str, str]]) -> str:
    return "\n".join(f"{key} = {value}" for key, value in rows)


HEADERS = st.one_of(
    ROWS.map(lambda rows: f"---\n{yaml(rows)}\n---\n"),
    ROWS.map(lambda rows: f"+++\n{toml(rows)}\n+++\n"),
    ROWS.map(lambda rows: f"+++\n{toml([(key, json.dumps(value)) for key, value in rows])}\n+++\n"),
    ROWS.map(lambda rows: json.dumps(dict(rows)) + "\n"),
    ROWS.map(lambda rows: f";;;\n{json.dumps(dict(rows))[1:-1]}\n;;;\n"),
    ROWS.map(lambda rows: f"---json\n{json.dumps(dict(rows))}\n---\n"),
    ROWS.map(lambda rows: f"Title: x\n{yaml(rows)}\n\n"),
    ROWS.map(yaml),
    ROWS.map(toml),
    st.just(""),
)
FILES = st.one_of(
    st.tuples(HEADERS, BODIES).map(lambda pair: "".join(pair).encode("utf-8", "surrogatepass")),
    st.tuples(HEADERS, st.binary(max_size=40)).map(
        lambda pair: pair[0].encode("utf-8", "surrogatepass") + pair[1]
    ),
    st.binary(max_size=120),
)


@settings(max_examples=150, deadline=None)
@example({"articles/a.md": b"---\ntitle: x\ndate: 9999-12-31T23:59:59-12:00\n---\n"})
@example({"site.toml": b'timezone = "Europe"\n[[topics]]\nname = 1\n', "articles/a.md": b"# A"})
@given(st.dictionaries(NAMES, FILES, min_size=1, max_size=4))
def test_any_folder_is_published_or_explained(files: dict[str, bytes]) -> None:
    with tempfile.TemporaryDirectory() as name:
        for source, raw in files.items():
            write(Path(name), source, raw)
        found = load(Path(name), clock.now())
    json.dumps([asdict(item) for item in (*found.articles, *found.pages, found.site)], default=str).encode()
    for item in (*found.articles, *found.pages, *found.problems):
        str(item).encode()  # half a surrogate would get no further than this
    assert len({article.slug for article in found.articles}) == len(found.articles)
    assert found.failed <= set(files) | {problem.file for problem in found.problems}
    told = {article.source for article in found.articles} | {page.source for page in found.pages}
    assert all(problem.message and problem.hint for problem in found.problems)
    assert not told & found.failed
