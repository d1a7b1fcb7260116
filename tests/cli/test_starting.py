"""A command starts quickly: it gets ready what it needs, and no more."""

import subprocess
import sys

from click.testing import CliRunner

from blog.cli import cli

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


def test_the_version_can_be_asked_for() -> None:
    result = CliRunner().invoke(cli, ["--version"])
    assert result.exit_code == 0
    assert result.output.split()[0] == "blog"
    assert result.output.split()[-1][0].isdigit()
