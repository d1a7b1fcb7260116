"""How good an answer an article is to a search: BM25 over its fields, the title counting most."""

import math
from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import Row

from blog.articles import pairs
from blog.articles.asked import Term

#: A word of the title stands in `keys` and in the body too, so it counts 6 + 2 + 1.
TITLE_WEIGHT, KEYS_WEIGHT = 6.0, 2.0
#: What a word is worth that only begins as the one asked for.
BEGUN = 0.4
SATURATION = 2.0
USUAL_LENGTH = 6_000
#: Words asked for side by side that stand side by side.
TOGETHER = 0.2
#: Between two equally good ones the newer is first: a twentieth of one term, halved each year.
FRESH, HALF_LIFE_DAYS = 0.05, 365.0


def ranked(
    texts: Sequence[Row[int, str, str, str]],
    published: Mapping[int, datetime],
    wanted: Sequence[Term],
    rarity: Sequence[float],
    now: datetime,
) -> list[int]:
    """Return the articles whose texts are given, the best first."""
    scores = {
        row.article_id: round(_relevance(row, wanted, rarity) + _freshness(published[row.article_id], now), 6)
        for row in texts
    }
    return sorted(scores, key=lambda number: (scores[number], published[number], number), reverse=True)


def _relevance(row: Row[int, str, str, str], wanted: Sequence[Term], rarity: Sequence[float]) -> float:
    title, keys, body = f" {row.title} ", f" {row.keys} ", f" {pairs.unmarked(row.body)} "
    dampening = SATURATION * (0.6 + 0.4 * len(body) / USUAL_LENGTH)
    score = 0.0
    for term, rare in zip(wanted, rarity, strict=True):
        times = TITLE_WEIGHT * _times(title, term) + KEYS_WEIGHT * _times(keys, term) + _times(body, term)
        score += rare * times / (times + dampening)
    if len(wanted) > 1:
        asked = " ".join(word for term in wanted for word in term.words)
        score += TOGETHER * ((f" {asked}" in title) + (f" {asked}" in body) / 2)
    return score


def _times(field: str, term: Term) -> float:
    asked = " " + " ".join(term.words)
    whole = field.count(asked + " ")
    return whole + BEGUN * (field.count(asked) - whole) if term.is_open else whole


def _freshness(published_at: datetime, now: datetime) -> float:
    days = max((now - published_at).days, 0)
    return FRESH * math.pow(0.5, days / HALF_LIFE_DAYS)
