"""An issue as a mail: laid out to be skimmed, cut to a size that is shown whole, and clean."""

from html.parser import HTMLParser

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from blog.articles.models import Article, ArticleTopic
from blog.columns import WIDTH, width
from blog.content.values import Site
from blog.delivery import mime
from blog.delivery.lint import LARGEST_TEXT, lint
from blog.delivery.lint_html import LARGEST
from blog.digests import compose, editorial
from blog.digests.arrangement import LOOSE, TOLD, arranged
from blog.digests.plan import MOST_ARTICLES, Edition
from blog.templating import legible
from tests.digests.test_compose import DATE, MARKS, edition, press

WORDS = "Some words about something that matters to whoever reads them. "


def raw_of(made: compose.Press, what: Edition) -> tuple[bytes, str, str]:
    email = compose.email_for(made, what, "ada@example.org", "<1@example.org>", MARKS)
    return mime.serialise(email, DATE), email.text, email.html


def on_topics(*topics: str) -> list[Article]:
    return [Article(slug=f"a{n}", topics=[ArticleTopic(topic=t)] if t else []) for n, t in enumerate(topics)]


@pytest.mark.parametrize("sign", ["x", "字", "&", "📰"])
def test_a_huge_issue_is_cut_to_teasers_and_keeps_every_link(sign: str) -> None:
    what = edition([sign * 80 + WORDS * 6] * MOST_ARTICLES, (sign * 40 + " " + WORDS) * 100, more=400)
    raw, text, html = raw_of(press(), what)
    assert lint(raw) == []
    assert len(html.encode()) <= LARGEST
    assert len(text.encode()) <= LARGEST_TEXT
    for part in (text, html):
        assert all(f"/articles/piece-{number}" in part for number in range(MOST_ARTICLES))
        assert "/archive" in part


def test_summaries_of_a_usual_length_are_not_cut() -> None:
    summary = WORDS * 10
    _, text, html = raw_of(press(), edition(["A title"] * (TOLD + 1), summary))
    assert "…" not in text
    assert html.count(summary.strip()) == TOLD + 1


def test_one_leads_some_are_told_and_the_rest_is_named() -> None:
    made = arranged(on_topics(*["ai"] * (TOLD + 4)))
    assert made.lead.slug == "a0"
    assert [len(shelf.articles) for shelf in made.shelves] == [TOLD]
    assert [article.slug for article in made.brief] == ["a9", "a10", "a11"]
    assert arranged(on_topics("ai")).shelves == ()


def test_more_than_a_few_are_put_together_by_topic_and_those_without_one_come_last() -> None:
    made = arranged(on_topics("ai", "", "law", "ai", "law", "ai", "law"))
    assert [(shelf.topic, [a.slug for a in shelf.articles]) for shelf in made.shelves] == [
        ("law", ["a2", "a4", "a6"]),
        ("ai", ["a3", "a5"]),
        ("", ["a1"]),
    ]
    few = arranged(on_topics("ai", *["law", "ai", "law", "ai", "law"][:LOOSE]))
    assert [shelf.topic for shelf in few.shelves] == [""]


signs = st.characters(codec="utf-8", exclude_categories=["Cs"])
hostile = st.one_of(
    st.text(signs, min_size=1, max_size=90),
    st.sampled_from(
        [
            "A title\r\nBcc: eve@example.org",
            "x" * 400,
            "👩‍👩‍👧‍👦" * 60,
            "日本語の長い題名" * 20,
            "שלום \u202eevil\u202c",
            "bell \x07 nul \x00 \x85 \u2028 \ufeff",
            "</title><script>alert(1)</script>",
            '"><img src=x onerror=y>',
            "=?utf-8?q?x?= -- \n.\n..\nFrom here",
            ".",
        ]
    ),
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.lists(hostile, min_size=1, max_size=5), hostile, hostile, hostile, st.sampled_from(["en", "de", "ar"])
)
def test_whatever_titles_and_names_are_made_of_the_mail_is_clean(
    titles: list[str], description: str, name: str, note: str, spoken: str
) -> None:
    words = editorial.words(note, "https://news.example.org/")
    made = press(site=Site(name=legible(name).strip() or "News", language=spoken), editorial=words)
    raw, text, html = raw_of(made, edition(titles, description))
    assert lint(raw) == []
    assert b"\nBcc:" not in raw.partition(b"\r\n\r\n")[0]
    assert tags(html).isdisjoint({"script", "iframe", "form"})
    assert all(width(line) <= WIDTH or "://" in line for line in text.split("\n") if " " in line.strip()[3:])


def tags(html: str) -> set[str]:
    found: set[str] = set()
    reader = HTMLParser()
    reader.handle_starttag = lambda tag, _attributes: found.add(tag)  # type: ignore[method-assign]
    reader.feed(html)
    return found
