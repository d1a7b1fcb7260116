"""A command starts quickly: it gets ready what it needs, and no more."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from blog.cli import COMMANDS, cli
from tests.smtp_server import free_port

LINUX = sys.platform == "linux"

HEAVY = {"babel", "flask", "markdown", "nh3", "numpy", "PIL", "pygments"}


def loaded(module: str) -> set[str]:
    """Return what is in memory when a module has been imported in a process of its own."""
    code = f"import sys, {module}; print(*sys.modules)"
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    return set(said.split())


def test_the_list_of_commands_names_each_once_in_full_and_loads_none_of_them() -> None:
    code = "import sys; from blog.cli import cli; cli(['--help'], standalone_mode=False); print(*sys.modules)"
    said = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env={"COLUMNS": "80"}
    ).stdout
    told, _, modules = said.rstrip().rpartition("\n")
    assert not {"sqlalchemy", "pydantic", "flask"} & set(modules.split())
    named = [line.split()[0] for line in told.splitlines() if line.startswith("  ") and "  " in line.strip()]
    assert sorted(name for name in named if not name.startswith("-")) == sorted(COMMANDS)
    assert max(map(len, told.splitlines())) <= 80
    assert "..." not in told.partition("\n")[2]


@pytest.mark.parametrize("name", ["articles", "bounces", "db", "digest", "subscribers"])
def test_a_group_says_of_each_of_its_commands_what_it_does_in_a_line_that_is_not_cut(name: str) -> None:
    told = CliRunner().invoke(cli, [name, "--help"], env={"COLUMNS": "80"}).output
    commands = told.partition("Commands:")[2]
    assert commands.strip()
    assert "..." not in commands


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
    # This process, which goes on testing, keeps its own policy.
    monkeypatch.setattr("blog.cli.serve.let_threads_finish", lambda: begun.append({"turns": "finished"}))
    monkeypatch.delenv("MALLOC_ARENA_MAX", raising=False)
    for command in (["db", "upgrade"], ["serve", "--port", str(free_port())]):
        result = CliRunner().invoke(cli, command, env={"BLOG_VAR_DIR": str(tmp_path), **asked_for})
        assert result.exit_code == 0, result.output
    assert begun[0] == {"turns": "finished"}
    assert begun[1]["MALLOC_ARENA_MAX"] == has
    assert begun[1]["BLOG_VAR_DIR"] == str(tmp_path)


@pytest.mark.skipif(not LINUX, reason="scheduling policies are Linux's")
@pytest.mark.parametrize(("given", "has"), [("SCHED_OTHER", "SCHED_BATCH"), ("SCHED_IDLE", "SCHED_IDLE")])
def test_a_web_server_runs_in_turns_that_are_finished_unless_told_to_run_otherwise(
    given: str, has: str
) -> None:
    code = (
        "import os, subprocess, sys; from blog.cli.serve import let_threads_finish\n"
        f"os.sched_setscheduler(0, os.{given}, os.sched_param(0)); let_threads_finish()\n"
        "subprocess.run([sys.executable, '-c', 'import os; print(os.sched_getscheduler(0))'], check=True)"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert int(said) == getattr(os, has)


def test_the_version_can_be_asked_for() -> None:
    result = CliRunner().invoke(cli, ["--version"])
    assert result.exit_code == 0
    assert result.output.split()[0] == "blog"
    assert result.output.split()[-1][0].isdigit()
