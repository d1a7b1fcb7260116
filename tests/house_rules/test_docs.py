"""The docs say what is so: every command they name exists, every file they link to is there."""

import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from blog.cli import cli
from blog.settings import ROOT, Settings

DOCS = [
    ROOT / "README.md",
    ROOT / "CONTRIBUTING.md",
    ROOT / "SECURITY.md",
    *sorted((ROOT / "docs").rglob("*.md")),
]


@pytest.mark.parametrize("path", DOCS, ids=lambda path: path.name)
def test_every_command_in_the_docs_exists_with_its_options(path: Path) -> None:
    for line in re.findall(r"(?m)(?:^|`)(?:\.venv/bin/)?blog ([a-z][^`\n]*)", path.read_text()):
        words = [word for word in line.split() if re.fullmatch(r"(--)?[a-z][a-z-]*", word)]
        command: object = cli
        context = cli.make_context("blog", ["--help"], resilient_parsing=True)
        while words and hasattr(command, "get_command"):
            command = command.get_command(context, words.pop(0))
            assert command is not None, line
        known = {option for parameter in command.params for option in parameter.opts}  # type: ignore[attr-defined]
        assert {word for word in words if word.startswith("--")} <= known, line


@pytest.mark.parametrize("path", DOCS, ids=lambda path: path.name)
def test_every_file_the_docs_link_to_is_there(path: Path) -> None:
    for target in re.findall(r"\]\(([^)#\s:]+)\)", path.read_text()):
        assert (path.parent / target).exists(), target


@pytest.mark.parametrize("path", DOCS, ids=lambda path: path.name)
def test_every_setting_the_docs_name_exists(path: Path) -> None:
    known = {f"BLOG_{name.upper()}" for name in Settings.model_fields}
    assert set(re.findall(r"BLOG_[A-Z_]+", path.read_text())) - {"BLOG_"} <= known


def test_every_make_target_the_docs_name_exists_and_help_lists_it() -> None:
    makefile = (ROOT / "Makefile").read_text()
    for path in DOCS:
        for target in re.findall(r"make ([a-z]+)\b", path.read_text()):
            if f"`make {target}" in path.read_text() or f"\nmake {target}" in path.read_text():
                assert re.search(rf"(?m)^{target}:.*## ", makefile), (path.name, target)


def test_the_help_of_the_program_is_readable() -> None:
    result = CliRunner().invoke(cli, ["--help"])
    assert result.exit_code == 0
    assert "Publish Markdown" in result.output
