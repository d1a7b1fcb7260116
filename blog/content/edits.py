"""A few edited texts read into a library that is otherwise as it was, at a cost that does not grow with it.

Whatever may concern more than these texts themselves (an address, a link to them, a folder's defaults, a key
that is counted) is left to `library.load_again`, and so is every mistake.
"""

from collections.abc import Collection
from dataclasses import replace
from datetime import datetime
from functools import partial

from blog.content import walk
from blog.content.assemble import Assembled, Desk, article
from blog.content.cores import Cores
from blog.content.manuscripts import Manuscript, Reading, is_settled
from blog.content.memory import Loaded, Memory
from blog.content.problems import Malformed
from blog.content.renderings import Kept, Renderings
from blog.content.summaries import share
from blog.content.values import Library
from blog.content.workshop import Workshop


def load_edited(
    sources: Collection[str], now: datetime, before: Memory, renderings: Renderings
) -> tuple[Library, Memory] | None:
    """Return the library with some files read again; None when everything must be looked at."""
    last = before.last
    if last is None or not sources:
        return None
    readings, kept = dict(before.readings), dict(before.kept)
    made: dict[str, Assembled] = {}
    for source in sources:
        known = last.assembled.get(source)
        manuscript = _read(known.manuscript, last, now) if known else None
        assembled = _assembled(manuscript, last, now, renderings) if manuscript else None
        if manuscript is None or assembled is None or known is None:
            return None
        if share(manuscript, assembled) != share(known.manuscript, known):
            return None
        made[source], kept[source] = assembled, assembled.kept
        readings.pop(source, None)
        if is_settled(manuscript.found, now):
            readings[source] = Reading(last.how.key(manuscript.found), assembled.manuscript)
    library = _with(made, last)
    assembled_now = {**last.assembled, **made}
    return library, Memory(readings, kept, replace(last, library=library, assembled=assembled_now))


def _read(before: Manuscript, last: Loaded, now: datetime) -> Manuscript | None:
    """Read a file again, if it stands where it stood."""
    found = walk.again(before.found, last.how.defaults.content_dir)
    try:
        manuscript = last.how.read(found, now) if found else None
    except Malformed:
        return None
    sound = manuscript and manuscript.fields.usable and manuscript.standing == before.standing
    return manuscript if sound else None


def _assembled(
    manuscript: Manuscript, last: Loaded, now: datetime, renderings: Renderings
) -> Assembled | None:
    read_again = partial(last.how.read_again, now=now)
    workshop = Workshop(last.addresses.shelf, renderings, read_again, Cores(1))
    desk = Desk(last.library.site, last.addresses.shelf, workshop.prose)
    desk.rendered = workshop.render([manuscript], {}, None, same_shelf=True)
    rendered = desk.rendered[manuscript.source]
    return article(desk, replace(manuscript, text=None)) if isinstance(rendered, Kept) else None


def _with(made: dict[str, Assembled], last: Loaded) -> Library:
    before = last.library
    articles = [made[item.source].article if item.source in made else item for item in before.articles]
    lasting = {id(problem) for problem in (*last.summaries, *last.addresses.problems)}
    problems = [item for item in before.problems if item.file not in made or id(item) in lasting]
    problems += [problem for item in made.values() for problem in (*item.manuscript.problems, *item.problems)]
    return replace(before, articles=articles, problems=problems)
