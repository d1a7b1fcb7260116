"""Titles and parts of texts with the hits in them, as data: a template escapes the pieces and marks hits."""

from collections.abc import Sequence

from blog.articles.asked import Term
from blog.articles.folding import aligned, is_unspaced

#: A text in pieces, and of each whether it is a hit.
Pieces = list[tuple[str, bool]]
Span = tuple[int, int]

LENGTH = 220
#: A hit is shown with some words before it.
LEAD = 60
#: Of each term so many places are looked at; the best part of a text is hardly ever behind them.
MOST_PLACES = 8
#: So much of a text is looked through.
LONGEST_LOOK = 40_000
ELLIPSIS = "…"


def marked(text: str, wanted: Sequence[Term]) -> Pieces:
    """Return a text cut into pieces."""
    return _cut(text, _spans(aligned(text), wanted))


def snippet(text: str, fallback: str, wanted: Sequence[Term]) -> Pieces:
    """Return the part of a text with most of the terms; without any, its fallback or its beginning."""
    # A text has one space between two words, and a line break between two blocks.
    text = text[:LONGEST_LOOK].replace("\n", " ").rstrip()
    spans = _spans(aligned(text), wanted)
    if not spans and fallback:
        return marked(_window(fallback, 0), wanted)
    part = _window(text, _best(spans))
    return _cut(part, _spans(aligned(part), wanted))


def _best(spans: Sequence[Span]) -> int:
    """Return where to begin, so that the most of different hits can be seen."""
    best, most = 0, 0
    for start, _ in spans:
        seen = sum(1 for other, end in spans if start <= other and end <= start + LENGTH - LEAD)
        if seen > most:
            best, most = start, seen
    return best


def _window(text: str, hit: int) -> str:
    """Return the part around a place, cut between words."""
    start = 0 if hit <= LEAD else text.find(" ", hit - LEAD) + 1
    if start > hit:
        start = hit
    end = min(len(text), start + LENGTH)
    if end < len(text):
        space = text.rfind(" ", hit, end)
        end = space if space > hit else end
    part = text[start:end].strip()
    return f"{ELLIPSIS if start else ''}{part}{ELLIPSIS if end < len(text) else ''}"


def _spans(folded: str, wanted: Sequence[Term]) -> list[Span]:
    """Return where the terms stand, in order and without overlaps."""
    found = sorted(span for term in wanted for span in _places(folded, term))
    spans: list[Span] = []
    for start, end in found:
        if spans and start < spans[-1][1]:
            spans[-1] = (spans[-1][0], max(end, spans[-1][1]))
        else:
            spans.append((start, end))
    return spans


def forms(wanted: Sequence[Term]) -> list[Term]:
    """Return what to look for in an aligned text: the terms, and where they differ, as they were typed."""
    typed = [Term(tuple(aligned(term.typed).split()), term.is_open) for term in wanted]
    return [
        *wanted,
        *(one for one, term in zip(typed, wanted, strict=True) if one.words not in ((), term.words)),
    ]


def _places(folded: str, term: Term) -> list[Span]:
    spans: list[Span] = []
    # All that is no letter is a space by now: with one before, only beginnings of words are looked at.
    spaced = f" {folded}"
    sought = term.words[0] if is_unspaced(term.words[0][0]) else f" {term.words[0]}"
    shift = len(sought) - len(term.words[0]) - 1
    place = spaced.find(sought)
    while place >= 0 and len(spans) < MOST_PLACES:
        start = place + shift
        end = _end(folded, start, term)
        spans += [(start, end)] if end else []
        place = spaced.find(sought, max(end, place + 1))
    return spans


def _end(folded: str, start: int, term: Term) -> int:
    """Return where a term ends that begins at `start`; 0 when it does not stand there."""
    if is_unspaced(folded[start]):
        return _unspaced_end(folded, start, term)
    end = start
    for number, word in enumerate(term.words):
        while number and end < len(folded) and not folded[end].isalnum():
            end += 1
        if not folded.startswith(word, end):
            return 0
        end += len(word)
        if end < len(folded) and folded[end].isalnum():
            if not term.is_open:
                return 0
            while end < len(folded) and folded[end].isalnum():
                end += 1
    return end


def _unspaced_end(folded: str, start: int, term: Term) -> int:
    run = term.words[0] + "".join(word[-1] for word in term.words[1:])
    return start + len(run) if folded.startswith(run, start) else 0


def _cut(text: str, spans: Sequence[Span]) -> Pieces:
    pieces: Pieces = []
    done = 0
    for start, end in spans:
        pieces += [(text[done:start], False), (text[start:end], True)]
        done = end
    return [piece for piece in [*pieces, (text[done:], False)] if piece[0]]
