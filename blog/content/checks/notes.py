"""The editor's notes in `content/issues`: an issue with one that cannot be read would not be planned."""

import difflib
from pathlib import Path

from blog.content import issues
from blog.content.issues import Note
from blog.content.values import Library, Problem


def unfit_notes(library: Library, content_dir: Path) -> list[Problem]:
    """Return what is wrong with the notes, and the articles they pin that are not there."""
    notes, problems = issues.read(content_dir)
    slugs = [article.slug for article in library.articles]
    return [*problems, *(problem for note in notes for problem in _pins(note, slugs))]


def _pins(note: Note, slugs: list[str]) -> list[Problem]:
    found = []
    for slug in note.pinned:
        if slug not in slugs:
            near = difflib.get_close_matches(slug, slugs, n=1)
            hint = f"did you mean {near[0]}?" if near else "write the slug of an article"
            found.append(
                Problem(note.source, note.pinned_line, f"pinned: there is no article {slug!r}", hint)
            )
    return found
