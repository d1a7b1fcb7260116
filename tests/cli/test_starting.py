"""A command starts quickly: it gets ready what it needs, and no more."""

import subprocess
import sys

from click.testing import CliRunner

from blog.cli import cli

HEAVY = {"babel", "flask", "markdown", "nh3", "numpy", "PIL", "pygments"}


def test_a_sync_that_finds_nothing_changed_needs_no_renderer_no_numbers_and_no_web() -> None:
    code = "import sys, blog.cli.articles; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert not HEAVY & set(loaded.split())


def test_the_version_can_be_asked_for() -> None:
    result = CliRunner().invoke(cli, ["--version"])
    assert result.exit_code == 0
    assert result.output.split()[0] == "blog"
    assert result.output.split()[-1][0].isdigit()
