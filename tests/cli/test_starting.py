"""A command starts quickly: it gets ready what it needs, and no more."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from blog.cli import cli
from tests.smtp_server import free_port

HEAVY = {"babel", "flask", "markdown", "nh3", "numpy", "PIL", "pygments"}


def loaded(module: str) -> set[str]:
    """Return what is in memory when a module has been imported in a process of its own."""
    code = f"import sys, {module}; print(*sys.modules)"
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    return set(said.split())


def test_a_sync_that_finds_nothing_changed_needs_no_renderer_no_numbers_and_no_web() -> None:
    assert not HEAVY & loaded("blog.cli.articles")


def test_a_web_server_needs_neither_the_renderer_nor_the_numbers() -> None:
    assert not {"numpy", "markdown", "nh3", "aiosmtpd"} & loaded("blog.app")


@pytest.mark.parametrize(("asked_for", "has"), [({}, "2"), ({"MALLOC_ARENA_MAX": "8"}, "8")])
def test_a_web_server_has_two_heaps_unless_its_operator_wants_others(
    asked_for: dict[str, str], has: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun: list[dict[str, str]] = []
    monkeypatch.setattr(os, "execve", lambda _program, _arguments, environment: begun.append(environment))
    monkeypatch.delenv("MALLOC_ARENA_MAX", raising=False)
    for command in (["db", "upgrade"], ["serve", "--port", str(free_port())]):
        result = CliRunner().invoke(cli, command, env={"BLOG_VAR_DIR": str(tmp_path), **asked_for})
        assert result.exit_code == 0, result.output
    assert begun[0]["MALLOC_ARENA_MAX"] == has
    assert begun[0]["BLOG_VAR_DIR"] == str(tmp_path)


def test_the_version_can_be_asked_for() -> None:
    result = CliRunner().invoke(cli, ["--version"])
    assert result.exit_code == 0
    assert result.output.split()[0] == "blog"
    assert result.output.split()[-1][0].isdigit()
