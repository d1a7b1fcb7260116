"""The line that says why two articles are shown together: the words that make them alike."""

from typing import TYPE_CHECKING

if (
    TYPE_CHECKING
):  # pages say the reasons, and the numbers behind them take twelve megabytes and half a second
    from blog.articles.space import Space

MOST_TERMS = 3
LONGEST = 44
#: How every reason begins; pages put the words after it into a sentence of their own language.
SHARES = "shares "
#: Words that carry no subject. They may help to compare texts, but they explain nothing.
_EMPTY = frozenset(
    """
    able about above across after again against ago all almost alone along already also although always
    among and another any anyone anything are around asked away back became because become been before
    began behind being below best better between beyond big both but came can cannot come comes coming
    could day days did different does doing done down during each early either else enough even ever every
    everybody everyone everything exactly far few find first five for found four from full further gave
    get gets getting give given gives goes going gone good got great had half has have having hence her
    here hers him his how however hundred inside instead into its itself just keep keeps kept kind knew
    know known knows large last late later least left less let like likely little long longer look looked
    looks lot made make makes making many may maybe mean means might mine more most much must myself name
    near nearly need needed needs neither never new next nobody none nor not nothing now off often old
    once one ones only onto other others our ours ourselves out outside over own part per perhaps place
    possible probably put quite rather read really right said same saw say says second see seem seems seen
    sense several shall she short should show shown shows side simple simply since six small some somebody
    someone something sometimes soon still such sure take taken takes taking tell tells ten than that the
    their theirs them themselves then there therefore these they thing things think this those though
    thousand three through thus time times today together told too took toward try trying turn twenty two
    under unless until upon used uses using usually very want wanted wants was way ways week well went
    were what whatever when where whether which while who whole whom whose why will with within without
    word words would write written wrote year years yes yet you your yours yourself zero
    """.split()  # noqa: SIM905  # a paragraph of words reads better than three hundred quoted ones
)


def reason(space: "Space", one: int, other: int) -> str:
    """Return such as `shares queues, backpressure`, or nothing when no telling word is shared."""
    terms: list[str] = []
    for term in space.shared(one, other):
        if _is_telling(term) and not any(_is_form_of(term, known) for known in terms):
            terms.append(term)
        if len(terms) == MOST_TERMS:
            break
    written = [space.written(term, one, other) for term in terms]
    while len(written) > 1 and len(", ".join(written)) > LONGEST:
        written.pop()
    return SHARES + ", ".join(written) if written else ""


def _is_telling(term: str) -> bool:
    return len(term) > 2 and term not in _EMPTY and term.isalpha()


def _is_form_of(term: str, other: str) -> bool:
    """Whether two terms are one word: `queue` and `queues` say the same thing."""
    return term[:5] == other[:5] if min(len(term), len(other)) >= 5 else term.rstrip("s") == other.rstrip("s")
