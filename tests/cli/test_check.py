"""`blog check` from the command line."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from blog.cli import cli
from tests.content.folders import write


@pytest.fixture
def content(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    write(tmp_path, "content/articles/good.md", "---\ntitle: Good\ndate: 2026-01-05\n---\nWords.\n")
    return tmp_path / "content"


def blog(*arguments: str) -> Result:
    return CliRunner().invoke(cli, ["check", *arguments])


def bad(content: Path) -> None:
    write(content, "articles/bad, 100%.md", "---\ntitle: Bad\ndate: 2026-01-05\n---\n[x](/articles/goood)\n")


def test_a_clean_folder_exits_with_0(content: Path) -> None:
    done = blog("content")
    assert (done.exit_code, done.output) == (0, "1 article and 0 pages checked: 0 problems, 0 notices.\n")


def test_problems_are_printed_with_their_place_and_exit_with_1(content: Path) -> None:
    bad(content)
    done = blog("content")
    assert done.exit_code == 1
    assert done.output.splitlines() == [
        "articles/bad, 100%.md:5: the link /articles/goood leads nowhere — did you mean /articles/good?",
        "2 articles and 0 pages checked: 1 problem, 0 notices.",
    ]


def test_notices_alone_exit_with_0(content: Path) -> None:
    write(content, "articles/odd.md", "---\ntitle: Odd\ndate: 2026-01-05\nflavour: x\n---\nWords.\n")
    done = blog("content")
    assert done.exit_code == 0
    assert done.output.startswith("notice: articles/odd.md:4: the key 'flavour' is not known")
    assert blog("content", "--format", "github").output.startswith(
        "::notice file=content/articles/odd.md,line=4::"
    )


@pytest.mark.parametrize("option", [["--json"], ["--format", "json"], ["--json", "--format", "json"]])
def test_json_holds_everything(content: Path, option: list[str]) -> None:
    bad(content)
    done = blog("content", *option)
    assert done.exit_code == 1
    read = json.loads(done.output)
    assert (read["articles"], read["pages"], read["notices"]) == (2, 0, [])
    assert read["problems"] == [
        {
            "file": "articles/bad, 100%.md",
            "line": 5,
            "message": "the link /articles/goood leads nowhere",
            "hint": "did you mean /articles/good?",
        }
    ]


def test_annotations_name_the_file_from_where_the_command_runs(content: Path) -> None:
    bad(content)
    done = blog("content", "--format", "github")
    assert done.exit_code == 1
    assert done.output == (
        "::error file=content/articles/bad%2C 100%25.md,line=5::"
        "the link /articles/goood leads nowhere — did you mean /articles/good?\n"
    )


def test_without_a_folder_the_site_s_own_is_checked(content: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bad(content)
    monkeypatch.setenv("BLOG_CONTENT_DIR", str(content))
    monkeypatch.setenv("BLOG_VAR_DIR", str(content.parent / "var"))
    assert (blog().exit_code, blog().output) == (1, blog("content").output)
    assert not list((content.parent / "var").glob("*.db"))


def test_a_folder_that_is_not_there_and_two_formats_are_wrong_use(content: Path) -> None:
    assert "there is no folder nowhere" in str(blog("nowhere").exception)
    done = blog("content", "--json", "--format", "github")
    assert done.exit_code == 2
    assert "choose one" in done.output


def test_the_schema_is_printed_as_json(content: Path) -> None:
    done = blog("--schema")
    assert done.exit_code == 0
    assert "title" in json.loads(done.output)["properties"]
