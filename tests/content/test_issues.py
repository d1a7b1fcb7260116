"""The editor's notes: read as they are meant, and every mistake named with its line."""

from datetime import date
from pathlib import Path

from blog.content import issues


def write(folder: Path, name: str, text: str) -> None:
    path = folder / "issues" / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)


def test_a_note_says_for_whom_and_when_it_is_and_what_stands_first(tmp_path: Path) -> None:
    write(
        tmp_path,
        "a.md",
        "---\ncadence: weekly\ndate: 2026-11-27\nsubject: Mind the queue\npinned: [one, two]\n---\n"
        "\nHello.\n",
    )
    write(tmp_path, "b.md", "For everybody, next time.\n")
    found, problems = issues.read(tmp_path)
    assert problems == []
    assert found[0] == issues.Note(
        "issues/a.md", ("weekly",), date(2026, 11, 27), "Mind the queue", ("one", "two"), "Hello.", 5
    )
    assert (found[1].cadences, found[1].day, found[1].pinned) == (issues.CADENCES, None, ())


def test_every_mistake_is_named_with_its_line_and_the_other_notes_are_read(tmp_path: Path) -> None:
    write(tmp_path, "bad.md", "---\ncadence: hourly\ndate: soon\ncolour: red\n---\nHello.\n")
    write(tmp_path, "broken.md", "---\ncadence: [\n---\nHello.\n")
    write(tmp_path, "good.md", "---\ndate: next\n---\nHello.\n")
    found, problems = issues.read(tmp_path)
    assert [note.source for note in found] == ["issues/good.md"]
    told = {(problem.file, problem.line, problem.message.split(":")[0]) for problem in problems}
    assert told >= {
        ("issues/bad.md", 2, "cadence"), ("issues/bad.md", 3, "date"), ("issues/bad.md", 4, "colour"),
    }  # fmt: skip
    assert "issues/broken.md" in {problem.file for problem in problems}


def test_without_the_folder_there_are_none(tmp_path: Path) -> None:
    assert issues.read(tmp_path) == ([], [])
