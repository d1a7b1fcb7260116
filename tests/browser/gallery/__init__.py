"""Every kind of page in every state it can be in, as addresses of running sites."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from werkzeug.routing import Map

from blog.settings import ROOT
from blog.web.pieces import Services
from tests.browser.gallery import beginning, people, reading, refusals
from tests.browser.gallery.picture import Picture
from tests.serving import published, serving

__all__ = ["Picture", "Stage", "stage"]


@dataclass(frozen=True)
class Stage:
    """A running site and what is to be seen on it, and on its neighbour."""

    site: str
    pictures: list[Picture]
    #: Every address that the site knows.
    addresses: Map


@contextmanager
def stage(folder: Path, database_file: Path) -> Iterator[Stage]:
    """Serve the sample publication with people, digests and refusals, and beside it an empty one."""
    content, empty = folder / "content", folder / "beginning"
    shutil.copytree(ROOT / "content", content)
    reading.write_many(content)
    empty.mkdir()
    shutil.copy(database_file, empty / "blog.db")
    beginning.write(empty / "content")
    with (
        published(empty, empty / "blog.db", empty / "content") as other,
        serving(other) as neighbour,
        published(folder, database_file, content) as app,
    ):
        services: Services = app.extensions["blog"]
        pictures = [*reading.standing(), *people.pictures(services), *reading.of_issues(services)]
        pictures += [*reading.of_articles(services), *refusals.pictures(app)]
        pictures += beginning.pictures(other.extensions["blog"], neighbour)
        with serving(app) as site:
            yield Stage(site, pictures, app.url_map)
