"""A later export makes only what has changed, and comes out as one that makes everything."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from flask.signals import template_rendered

from blog.db import Database
from blog.export import tree
from tests.export.conftest import SITE, export, files_of, sync, write

Change = Callable[[Path, pytest.MonkeyPatch], object]


@contextmanager
def rendered() -> Iterator[list[str]]:
    """Collect the templates of the pages that are made."""
    found: list[str] = []

    def note(_app: object, template: object, **_: object) -> None:
        found.append(str(getattr(template, "name", "")))

    template_rendered.connect(note)
    yield found
    template_rendered.disconnect(note)


def rewrite(content: Path, name: str, old: str, new: str) -> None:
    path = content / name
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def own_template(content: Path, environment: pytest.MonkeyPatch) -> None:
    folder = content.parent / "own"
    (folder / "site").mkdir(parents=True)
    (folder / "site" / "article.html").write_text(
        '{% extends "ours/site/article.html" %}{% block title %}Ours: {{ super() }}{% endblock %}'
    )
    environment.setenv("BLOG_TEMPLATES_DIR", str(folder))


def exporting(folder: Path) -> subprocess.Popen[str]:
    """Begin an export in a process of its own."""
    command = [sys.executable, "-m", "blog.cli", "export", str(folder)]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)


CHANGES: dict[str, Change] = {
    "a word": lambda content, _: rewrite(content, "articles/second-piece.md", "Other words", "Others"),
    "a title": lambda content, _: rewrite(content, "articles/first-piece.md", "first piece", "The first"),
    "a date": lambda content, _: rewrite(content, "articles/part-2.md", "2026-01-02", "2026-02-03"),
    "a topic": lambda content, _: rewrite(content, "articles/part-1.md", "[systems]", "[work, systems]"),
    "an article": lambda content, _: write(content, "third-piece", "Words on systems and loops.\n"),
    "a part": lambda content, _: write(content, "part-3", "The last of three.\n", "series: Loops\n"),
    "one gone": lambda content, _: (content / "articles" / "third-piece.md").unlink(),
    "the name of a topic": lambda content, _: (content / "site.toml").write_text(
        SITE + '[[topics]]\nslug = "systems"\nname = "Systems at work"\n'
    ),
    "a topic that nobody has described": lambda content, _: rewrite(
        content, "articles/first-piece.md", "[systems]", "[systems, Old Tools]"
    ),
    "another writing of it": lambda content, _: rewrite(
        content, "articles/first-piece.md", "Old Tools", "old TOOLS"
    ),
    "the accent": lambda content, _: rewrite(content, "site.toml", SITE, SITE + 'accent = "#0B6E4F"\n'),
    "the navigation": lambda content, _: rewrite(
        content, "site.toml", SITE, SITE + 'navigation = [{ label = "All", url = "/archive" }]\n'
    ),
    "a standing page": lambda content, _: (content / "pages" / "terms.md").write_text(
        "---\ntitle: Terms\n---\n\nNone.\n"
    ),
    "a picture": lambda content, _: (content / "articles" / "loop.svg").write_text(
        '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>'
    ),
    "an old address": lambda content, _: rewrite(
        content, "articles/first-piece.md", "/old/first", "/older/first"
    ),
    "a setting": lambda _, environment: environment.setenv("BLOG_SHARED_CACHE_SECONDS", "7"),
    "the site's own address": lambda _, environment: environment.setenv(
        "BLOG_SITE_URL", "https://letters.example.org"
    ),
    "a template": own_template,
}


@pytest.fixture
def published(content: Path, database: Database) -> Path:
    """A publication with a series in which everything is related to everything."""
    for number in (1, 2):
        write(content, f"part-{number}", f"Part {number} on loops and systems.\n", "series: Loops\n")
    sync(database, content)
    return content


def test_after_any_change_the_files_are_those_of_an_export_that_makes_everything(
    published: Path, database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out"
    export(out)
    for what, change in CHANGES.items():
        before = files_of(out)
        change(published, monkeypatch)
        sync(database, published)
        export(out)
        fresh = tmp_path / what
        export(fresh)
        assert files_of(out) == files_of(fresh), what
        assert files_of(out) != before, what


def test_one_edit_has_one_article_made_and_those_that_show_it(
    published: Path, database: Database, tmp_path: Path
) -> None:
    for number in range(12):
        write(published, f"apart-{number}", f"Gardening in bed {number}.\n", f"tags: [garden-{number}]\n")
    sync(database, published)
    export(tmp_path / "out")
    rewrite(published, "articles/apart-3.md", "bed 3", "bed three")
    sync(database, published)
    with rendered() as made:
        export(tmp_path / "out")
    assert made.count("site/article.html") == 1
    with rendered() as made:
        export(tmp_path / "new")
    assert made.count("site/article.html") == 16


def test_when_nothing_has_changed_the_folder_is_left_as_it_is(
    published: Path, database: Database, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    first = export(out)
    inode = out.stat().st_ino
    sync(database, published)
    with rendered() as made:
        again = export(out)
    assert (out.stat().st_ino, made) == (inode, [])
    assert again["unchanged"] == again["files"] == first["files"]
    assert {**again, "seconds": 0, "unchanged": 0} == {**first, "seconds": 0}


@pytest.mark.usefixtures("published")
@pytest.mark.parametrize("ending", ["", ".br"])
def test_a_file_that_somebody_has_written_to_or_removed_is_mended(tmp_path: Path, ending: str) -> None:
    out = tmp_path / "out"
    export(out)
    whole = files_of(out)
    for name in ("articles/part-1.html", "sketches/part-2.svg", "archive.html"):
        file = out / f"{name}{ending}"
        if file.exists():
            file.write_bytes(bytes(file.stat().st_size))
    (out / f"index.html{ending}").unlink()
    export(out)
    assert files_of(out) == whole


@pytest.mark.usefixtures("published")
def test_an_export_waits_for_one_that_is_at_work(tmp_path: Path) -> None:
    out, told = tmp_path / "out", []
    with tree.alone(out, lambda: told.append("waits")):
        other = exporting(out)
        assert other.stderr is not None
        assert other.stderr.readline() == f"Another export beside {out} comes first.\n"
        assert list(tmp_path.glob("*out*")) == []
    other.communicate(timeout=60)
    assert (other.returncode, told) == (0, [])
    export(tmp_path / "fresh")
    assert files_of(out) == files_of(tmp_path / "fresh")


@pytest.mark.usefixtures("published")
def test_exports_at_the_same_moment_end_with_a_whole_site(tmp_path: Path) -> None:
    out = tmp_path / "out"
    for other in [exporting(out) for _ in range(3)]:
        other.communicate(timeout=60)
        assert other.returncode == 0
    export(tmp_path / "fresh")
    assert files_of(out) == files_of(tmp_path / "fresh")


@pytest.mark.usefixtures("published")
def test_cards_that_were_left_out_are_not_forgotten_later(tmp_path: Path) -> None:
    out = tmp_path / "out"
    export(out, "--without-cards")
    assert not (out / "cards").exists()
    export(out)
    export(tmp_path / "fresh")
    assert files_of(out) == files_of(tmp_path / "fresh")


@pytest.mark.usefixtures("published")
def test_an_export_whose_notes_cannot_be_read_is_made_anew(tmp_path: Path) -> None:
    out = tmp_path / "out"
    export(out)
    whole = files_of(out)
    manifest = out / ".server" / "manifest.json"
    for damaged in ('{"files": [{"path": "/", "headers": [["a"]]}]}', '{"files": 3}', "[]", "{", ""):
        manifest.write_text(damaged)
        os.utime(manifest, ns=(0, 0))
        export(out)
        assert files_of(out) == whole
