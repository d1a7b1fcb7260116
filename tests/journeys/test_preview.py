"""A writer's evening: the preview runs, files are saved, broken and mended, and Ctrl-C ends it."""

from pathlib import Path

from tests.content.folders import write
from tests.previewing import end, fetch, previewed, wait_for

DRAFT = "---\ntitle: Mine\ndate: 2026-01-05\ndraft: true\n---\nFirst words.\n"


def test_a_draft_is_shown_and_followed_and_nothing_is_left_behind(tmp_path: Path) -> None:
    content = tmp_path / "content"
    path = write(content, "articles/mine.md", DRAFT)
    write(content, "articles/later.md", "---\ntitle: Later\ndate: 2999-01-05\n---\nIn time.\n")
    with previewed(content, "articles/mine.md") as (site, process):
        draft = f"{site}/articles/mine"
        assert "This is a draft: readers cannot see it." in fetch(draft)[1]
        assert "Scheduled: readers see it from January 5, 2999." in fetch(f"{site}/articles/later")[1]
        path.write_text(DRAFT + "\nSecond words.\n")
        wait_for(lambda: "Second words." in fetch(draft)[1])
        path.write_text("---\ntitle: [Mine\n---\nThird words.\n")
        wait_for(lambda: "articles/mine.md:3" in fetch(draft)[1])
        status, page = fetch(draft)
        assert status == 200
        assert "Second words." in page
        assert "Third words." not in page
        write(content, "articles/new.md", "# New\n\nOf today.\n")
        wait_for(lambda: fetch(f"{site}/articles/new")[0] == 200)
        path.write_text(DRAFT)
        wait_for(lambda: "articles/mine.md:3" not in fetch(draft)[1])
        output = end(process)
    assert process.returncode == 0
    assert f"{site}/articles/mine" in output
    assert "articles/mine.md:3: the YAML header is malformed" in output
    assert output.endswith("The preview has ended.\n")
    assert not (tmp_path / "real-var").exists()


def test_only_a_preview_has_its_addresses_and_its_script(tmp_path: Path) -> None:
    write(tmp_path, "articles/a.md", "# A\n\nText.\n")
    with previewed(tmp_path) as (site, _):
        assert fetch(f"{site}/preview/reload.js")[0] == 200
        assert fetch(f"{site}/preview/preview.css")[0] == 200
        assert fetch(f"{site}/preview/previewing.py")[0] == 404


def test_a_wrong_path_is_one_clear_line(tmp_path: Path) -> None:
    from click.testing import CliRunner

    from blog.cli import cli

    done = CliRunner().invoke(cli, ["preview", str(tmp_path / "nothing")])
    assert str(done.exception) == f"there is no file or folder {tmp_path / 'nothing'}"
