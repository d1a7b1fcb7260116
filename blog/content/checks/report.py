"""All checks in one run: what the loader noticed, and what only shows when the whole site is known."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from blog.content.checks import pieces
from blog.content.checks.atlas import survey
from blog.content.checks.links import dead_links, dead_navigation
from blog.content.checks.names import unknown_names
from blog.content.checks.notes import unfit_notes
from blog.content.checks.pictures import undescribed_images
from blog.content.checks.pieces import Piece
from blog.content.library import load
from blog.content.progress import Progress
from blog.content.site import FILE
from blog.content.values import Library, Problem


@dataclass(frozen=True)
class Report:
    """What a check found: problems must be mended, notices may stay as they are."""

    problems: list[Problem]
    notices: list[Problem]
    articles: int
    pages: int


def check(
    content_dir: Path, now: datetime, cache_dir: Path | None = None, progress: Progress | None = None
) -> Report:
    """Check a content folder; every problem is named once, in the order of files and lines."""
    library = load(content_dir, now, cache_dir, progress)
    found = sorted({*library.problems, *_beyond_the_loader(library, content_dir, now)}, key=_place)
    notices = [problem for problem in found if problem.notice]
    problems = [problem for problem in found if not problem.notice]
    return Report(problems, notices, len(library.articles), len(library.pages))


def _beyond_the_loader(library: Library, content_dir: Path, now: datetime) -> list[Problem]:
    texts = pieces.of(library, content_dir)
    atlas = survey(library, texts, content_dir, now)
    problems = unfit_notes(library, content_dir)
    problems += dead_navigation(library.site, Piece(content_dir, FILE, "/", ""), atlas)
    for piece in texts:
        problems += dead_links(piece, atlas)
        problems += undescribed_images(piece)
        problems += unknown_names(piece, library.site)
    return problems


def _place(problem: Problem) -> tuple[str, int, str]:
    return problem.file, problem.line or 0, problem.message
