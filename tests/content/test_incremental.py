"""Loading again: what has not changed is not rendered again, and the outcome is that of a first load."""

import multiprocessing
import os
import pickle
import shutil
import sqlite3
import sys
import tempfile
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from multiprocessing import resource_tracker
from pathlib import Path
from typing import Any

import pytest
import time_machine
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from blog import clock
from blog.content import cores, witness
from blog.content.edits import load_edited
from blog.content.library import load, load_again
from blog.content.markup import Text
from blog.content.memory import Memory, checked, recall
from blog.content.references import Shelf
from blog.content.renderings import Renderings
from blog.content.said import FILE, said, store_in
from blog.content.values import Library
from blog.errors import BlogError
from tests.content.folders import by_source, loaded, write

SVG = '<svg width="{0}" height="2"></svg>'

NAMES = ("articles/a.md", "articles/b.md", "articles/2025-01-02-c/index.md", "articles/d/a.md", "pages/p.md")
HEADERS = ("", "date: 2025-05-30\n", "slug: a\n", "draft: true\n", "aliases: [/old]\n", "related: [b, c]\n")
BODIES = (
    "Text.",
    "[to b](b.md)",
    "[to a](a.md#x) and [old](/old)",
    "![x](x.svg) and ![y](/media.png)",
    "[page](../pages/p.md) [up](../a.md) [c](@/2025-01-02-c/index.md)",
    "[file](x.svg)\n\n# One\n\n## Two\n\n| a |\n|---|\n| b |\n\n![z](https://example.org/z.png)",
    ">" * 3_000 + " x",
)
SITES = ("", 'language = "de"', 'timezone = "Europe/Berlin"', '[[topics]]\nslug = "t"\nname = "T"', "broken")
DEFAULTS = ("", "author: B", "topics: [x]\nrelated: [a]", "draft: true", "lang: 5!", "draft")

names = st.sampled_from(NAMES)
articles = st.tuples(st.just("write"), names, st.sampled_from(HEADERS), st.sampled_from(BODIES))
edits = st.one_of(
    articles,
    articles,
    st.tuples(st.just("remove"), names),
    st.tuples(st.just("rename"), names, names),
    st.tuples(st.just("image"), st.sampled_from(["articles/x.svg", "media.png"]), st.integers(1, 9)),
    st.tuples(st.just("defaults"), st.sampled_from(DEFAULTS)),
    st.tuples(st.just("site"), st.sampled_from(SITES)),
)


def edit(folder: Path, kind: str, *rest: object) -> list[str]:
    """Do one of the things people do to content folders; return what the file system tells of it."""
    first = folder / str(rest[0])
    if kind == "write":
        write(folder, str(rest[0]), f"---\ntitle: T\n{rest[1]}---\n{rest[2]}\n")
    elif kind == "remove":
        first.unlink(missing_ok=True)
    elif kind == "rename" and first.exists():
        target = folder / str(rest[1])
        target.parent.mkdir(parents=True, exist_ok=True)
        first.rename(target)
    elif kind == "image":
        write(folder, str(rest[0]), SVG.format(rest[1]))
    elif kind == "defaults":
        write(folder, "articles/_defaults.yaml", str(rest[0]))
    elif kind == "site":
        write(folder, "site.toml", str(rest[0]))
    told = {"defaults": ["articles/_defaults.yaml"], "site": ["site.toml"]}
    return told.get(kind, [str(name) for name in rest if kind == "rename"] or [str(rest[0])])


def in_order(library: Library) -> Library:
    """Return a library whose problems stand in one order."""
    return replace(library, problems=sorted(library.problems, key=repr))


def rendered(folder: Path, cache: Path) -> tuple[Library, int]:
    """Load with a cache; also return how many texts had to be rendered."""
    numbers = [0]
    found = load(folder, clock.now(), cache, lambda _, total: numbers.append(total))
    return found, numbers[-1]


@hypothesis_settings(max_examples=100, deadline=None)
@given(st.lists(edits, min_size=1, max_size=10))
def test_loading_again_is_loading_anew_whatever_was_edited(sequence: list[tuple[str, ...]]) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder, cache = Path(name, "content"), Path(name, "cache")
        folder.mkdir()
        memory, held = Memory(), Renderings(None)
        for step in sequence:
            touched = edit(folder, *step)
            # As if long after: what has just been written is read again anyway.
            with time_machine.travel(clock.now() + timedelta(hours=1)):
                now = clock.now()
                anew = load(folder, now)
                alone = load_edited(touched, now, memory, held)
                again, memory = alone or load_again(folder, now, memory, held)
                again, anew = in_order(again), in_order(anew)
                assert in_order(load(folder, now, cache)) == again == anew
                assert [item.body.read() for item in again.articles] == [
                    item.body.read() for item in anew.articles
                ]
        assert load(folder, now, cache) == load(folder, now)


def test_an_edited_text_is_read_alone_and_whatever_else_changes_is_not(tmp_path: Path) -> None:
    header = "---\ntitle: A\ndate: 2025-05-30\n---\n"
    path = write(tmp_path, "articles/a.md", f"{header}Text.")
    write(tmp_path, "articles/b.md", "---\ntitle: B\ndate: 2025-05-30\n---\n[a](a.md)")
    held, now = Renderings(None), clock.now()
    _, memory = load_again(tmp_path, now, Memory(), held)
    path.write_text(f"{header}Other [text](b.md).")
    found = load_edited(["articles/a.md"], now, memory, held)
    assert found
    assert found[0] == loaded(tmp_path)
    assert by_source(found[0])["articles/a.md"].body.read().text == "Other text."
    assert found[0].articles[1] is memory.last.library.articles[1]  # type: ignore[union-attr]
    for other in (
        "---\ntitle: A\nslug: z\n---\n",
        header.replace("---", "", 1),
        header.replace("date", "data"),
    ):
        path.write_text(f"{other}Text.")
        assert load_edited(["articles/a.md"], now, memory, held) is None
    path.unlink()
    assert load_edited(["articles/a.md"], now, memory, held) is None
    path.symlink_to(tmp_path / "articles" / "b.md")
    assert load_edited(["articles/a.md"], now, memory, held) is None
    for elsewhere in ("articles/new.md", "articles/_defaults.yaml", "site.toml", "articles/x.svg"):
        assert load_edited([elsewhere], now, memory, held) is None


def test_what_has_not_changed_is_not_rendered_again(tmp_path: Path) -> None:
    folder, cache = tmp_path / "content", tmp_path / "cache"
    for name in "abc":
        write(folder, f"articles/{name}.md", f"---\ntitle: {name}\n---\nText.")
    write(folder, "pages/about.md", "# About")
    assert rendered(folder, cache)[1] == 4
    assert rendered(folder, cache)[1] == 0
    write(folder, "articles/a.md", "---\ntitle: a\n---\nOther text.")
    found, number = rendered(folder, cache)
    assert number == 1
    assert by_source(found)["articles/a.md"].body.read().text == "Other text."


def test_when_a_target_moves_only_what_links_to_it_is_rendered_again(tmp_path: Path) -> None:
    folder, cache = tmp_path / "content", tmp_path / "cache"
    target = write(folder, "articles/target.md", "---\ntitle: Target\nslug: target\n---\nText.")
    write(folder, "articles/linking.md", "---\ntitle: Linking\n---\n[there](target.md)")
    write(folder, "articles/other.md", "---\ntitle: Other\n---\nText.")
    rendered(folder, cache)
    target.write_text("---\ntitle: Target\nslug: elsewhere\n---\nText.")
    found, number = rendered(folder, cache)
    assert number == 1  # the target's own text is as it was
    assert 'href="/articles/elsewhere"' in by_source(found)["articles/linking.md"].body.read().html
    target.unlink()
    found, number = rendered(folder, cache)
    assert number == 1
    assert found == loaded(folder)


def test_an_image_that_changes_is_measured_again(tmp_path: Path) -> None:
    folder, cache = tmp_path / "content", tmp_path / "cache"
    image = write(folder, "articles/x.svg", SVG.format(4))
    write(folder, "articles/a.md", "---\ntitle: A\n---\n![x](x.svg)")
    with time_machine.travel(clock.now() + timedelta(hours=1)):  # the image has been there for a while
        rendered(folder, cache)
        assert rendered(folder, cache)[1] == 0
        image.write_text(SVG.format(8))
        os.utime(image, (1, 1))
        found, number = rendered(folder, cache)
    assert number == 1
    assert 'width="8"' in found.articles[0].body.read().html


def test_an_image_written_just_now_is_not_trusted_to_stay(tmp_path: Path) -> None:
    folder, cache = tmp_path / "content", tmp_path / "cache"
    write(folder, "articles/x.svg", SVG.format(4))
    write(folder, "articles/a.md", "---\ntitle: A\n---\n![x](x.svg)")
    rendered(folder, cache)
    assert rendered(folder, cache)[1] == 1


@pytest.mark.parametrize(
    "harm",
    [
        lambda path: path.write_bytes(b""),
        lambda path: path.write_bytes(path.read_bytes()[:-9]),
        lambda path: path.write_bytes(path.read_bytes().replace(b"Text", b"Test")),
        lambda path: path.write_bytes(b"\xff\x00" * 9_000),
        lambda path: path.unlink(),
    ],
)
def test_a_damaged_rendering_is_made_anew(tmp_path: Path, harm: Callable[[Path], object]) -> None:
    folder, cache = tmp_path / "content", tmp_path / "cache"
    write(folder, "articles/a.md", "---\ntitle: A\n---\nText.")
    rendered(folder, cache)
    harm(settled(cache))
    (cache / "files.kept").unlink()
    found, number = rendered(folder, cache)
    assert number == 1
    assert found == loaded(folder)
    assert rendered(folder, cache)[1] == 0


@pytest.mark.parametrize("harm", ["DELETE FROM kept", "UPDATE kept SET data = x'00'"])
def test_a_rendering_that_is_lost_before_it_is_asked_for_is_made_once_more(tmp_path: Path, harm: str) -> None:
    folder, cache = tmp_path / "content", tmp_path / "cache"
    file = write(folder, "articles/a.md", "---\ntitle: A\n---\nText.")
    found, _ = rendered(folder, cache)
    done(cache, harm)
    assert found.articles[0].body.read().text == "Text."
    done(cache, harm)
    file.write_text("---\ntitle: A\n---\nOther.")
    with pytest.raises(BlogError, match=r"a\.md: the file was changed while it was read"):
        found.articles[0].body.read()


@pytest.mark.parametrize(
    "harm",
    [
        lambda data: b"",
        lambda data: data[:-9],
        lambda data: data.replace(b"Title", b"Other"),
        lambda data: b"x\n" + data.partition(b"\n")[2],
    ],
)
def test_a_damaged_memory_is_forgotten(tmp_path: Path, harm: Callable[[bytes], bytes]) -> None:
    folder, cache = tmp_path / "content", tmp_path / "cache"
    write(folder, "articles/a.md", "---\ntitle: Title\n---\nText.")
    with time_machine.travel(clock.now() + timedelta(hours=1)):
        rendered(folder, cache)
        assert recall(cache).readings
        path = cache / "files.kept"
        path.write_bytes(harm(path.read_bytes()))
        assert recall(cache) == Memory()
        assert rendered(folder, cache)[0] == loaded(folder)


def test_a_memory_can_make_nothing_but_the_values_it_is_for(tmp_path: Path) -> None:
    data = pickle.dumps((os.system, {}))
    (tmp_path / "files.kept").write_bytes(checked(data))
    assert recall(tmp_path) == Memory()


def test_what_is_not_used_any_more_is_dropped(tmp_path: Path) -> None:
    folder, cache = tmp_path / "content", tmp_path / "cache"
    paths = [write(folder, f"articles/{name}.md", f"---\ntitle: {name}\n---\nText.") for name in "abc"]
    rendered(folder, cache)
    (cache / "renderings").mkdir()  # what earlier versions kept
    paths[0].unlink()
    rendered(folder, cache)
    assert kept(cache) == 3, "another load may still want it"
    with time_machine.travel(clock.now() + timedelta(hours=2)):
        rendered(folder, cache)
    assert kept(cache) == 2
    assert not (cache / "renderings").exists()


def settled(cache: Path) -> Path:
    """Return the file of the renderings, alone and with nothing of it elsewhere."""
    done(cache, "PRAGMA journal_mode = delete")
    return cache / FILE


def kept(cache: Path) -> int:
    return int(done(cache, "SELECT count(*) FROM kept")[0][0])


def done(cache: Path, statement: str) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(cache / FILE, isolation_level=None)) as connection:
        return connection.execute(statement).fetchall()


def test_where_nothing_can_be_kept_everything_is_rendered(tmp_path: Path) -> None:
    folder, cache = tmp_path / "content", write(tmp_path, "cache", "a file where a folder should be")
    write(folder, "articles/a.md", "---\ntitle: A\n---\nText.")
    for _ in range(2):
        assert rendered(folder, cache)[1] == 1


def test_everything_a_text_can_ask_of_the_shelf_is_noted() -> None:
    asked = {name for name in vars(Shelf) if not name.startswith("_") and callable(getattr(Shelf, name))}
    by_address_alone = {"is_elsewhere", "names_a_text"}
    assert asked - by_address_alone == {name for name in vars(witness.Witness) if name in asked}


def made(texts: list[Text], shelf: Shelf, workers: int) -> list[witness.Made]:
    with cores.Cores(workers) as crew:
        return list(crew.make_all(texts, shelf, witness.make))


def test_many_texts_come_back_in_their_order_however_many_processes(tmp_path: Path) -> None:
    texts = [Text(f"{number}.md", f"Text [{number}](x.md).") for number in range(cores.FEW + 5)]
    shelf = Shelf(tmp_path, {"x.md": "x"})
    alone = made(texts, shelf, workers=1)
    assert made(texts, shelf, workers=2) == alone
    assert alone[7].notes == [["article", "x.md", ["x", ""]]]


def test_where_no_process_can_be_started_this_one_does_the_work(tmp_path: Path) -> None:
    texts = [Text(f"{number}.md", f"Text {number}.") for number in range(cores.FEW + 5)]
    resource_tracker.ensure_running()  # which is a process itself, and shared by all tests
    multiprocessing.set_executable(shutil.which("false") or "/bin/false")
    try:
        found = made(texts, Shelf(tmp_path), workers=2)
    finally:
        multiprocessing.set_executable(sys.executable)
    assert found == made(texts, Shelf(tmp_path), workers=1)


def test_what_a_rendering_says_is_read_without_the_renderer(tmp_path: Path) -> None:
    folder, cache = tmp_path / "content", tmp_path / "cache"
    write(folder, "articles/a.md", "---\ntitle: A\n---\n## First\n\nText.\n\n## Second\n\nMore.")
    article = rendered(folder, cache)[0].articles[0]
    prose = article.body.read()
    assert prose.headings == ["First", "Second"]
    assert said(store_in(cache), article.body.kept_as) == (prose.headings, prose.text)
    assert said(store_in(cache), "another") is None
