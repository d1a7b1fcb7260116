"""The wheel alone, as a container has it: no source tree near it, and no place to write but its own."""

import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

from blog.settings import ROOT
from tests.deploy import containerfile
from tests.journeys.installation import Installation, fetch, free_port

pytestmark = pytest.mark.slow

WRITABLE = "var"
#: Everything read-only but the one folder and /tmp, as `read_only: true` in compose.yaml makes it.
READ_ONLY = (
    'mount --make-rprivate / && mount --bind "$1" "$1" && mount -o remount,bind,ro / && shift && exec "$@"'
)


@pytest.fixture(scope="session")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The `bin` of a fresh environment with the wheel in it; what it depends on is borrowed from ours."""
    folder = tmp_path_factory.mktemp("installed")
    tree = folder / "tree"
    tree.mkdir()
    # The very files that the container is built from.
    for name in containerfile.copied():
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, tree / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(ROOT / name, tree)
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check", "--no-input"]
    built = [*pip, "wheel", "--no-deps", "--no-index", "--no-build-isolation", "-w", str(folder), str(tree)]
    subprocess.run(built, check=True)
    shutil.rmtree(tree)
    environment = folder / "environment"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(environment)], check=True)
    python = environment / "bin" / "python"
    (wheel,) = folder.glob("*.whl")
    to = ["--python", str(python), "install", "--no-deps", "--no-index", "--no-compile", str(wheel)]
    subprocess.run([*pip, *to], check=True)
    (packages,) = environment.glob("lib/python*/site-packages")
    # A path named so is searched, but the .pth in it, which leads to our source tree, is not obeyed.
    (packages / "borrowed.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return environment / "bin"


@pytest.fixture
def site(tmp_path: Path) -> Installation:
    made = Installation(tmp_path, f"sqlite:///{tmp_path / 'var' / 'blog.db'}", smtp_port=1, port=free_port())
    shutil.copytree(ROOT / "content", made.content)
    (tmp_path / "var").mkdir()
    made.extra["BLOG_SITE_URL"] = "https://news.example.org"
    return made


def can_mount() -> bool:
    return subprocess.run(["unshare", "--mount", "true"], capture_output=True, check=False).returncode == 0


def contained(site: Installation) -> list[str]:
    """Return what runs a command with everything read-only but `var`, where this machine allows it."""
    if not can_mount():
        return []
    return ["unshare", "--mount", "sh", "-c", READ_ONLY, "sh", str(site.folder / "var")]


def test_a_wheel_migrates_checks_publishes_and_serves_with_nothing_else_to_write_to(
    installed: Path, site: Installation
) -> None:
    def blog(*arguments: str) -> "subprocess.CompletedProcess[str]":
        command = [*contained(site), str(installed / "blog"), *arguments]
        return subprocess.run(
            command, env=site.environment, cwd=site.folder, capture_output=True, text=True, check=False
        )

    for arguments in (("db", "upgrade"), ("check",), ("sync",)):
        done = blog(*arguments)
        assert done.returncode == 0, (arguments, done)
    log = site.folder / "var" / "serve.log"
    with log.open("wb") as stream:
        words = " ".join(containerfile.command("CMD")).replace("0.0.0.0", "127.0.0.1")
        words = words.replace("8000", str(site.port)).replace("--workers 2", "--workers 1")
        command = [*contained(site), str(installed / "blog"), *words.split()]
        server = subprocess.Popen(
            command, env=site.environment, cwd=site.folder, stdout=stream, stderr=stream
        )
    try:
        site._wait_until_up(server)
        healthy = [str(installed / "python"), *containerfile.healthcheck(site.port)[1:]]
        subprocess.run(healthy, check=True)
        host = {"Host": "news.example.org"}
        assert fetch(f"{site.site}/readyz").body == "ready\n"
        assert (
            "Stay Updated"
            in fetch(f"{site.site}/articles/what-is-the-best-framework-to-learn", headers=host).body
        )
        assert fetch(f"{site.site}/subscribe", b"email=ada%40example.org", host).status == 200
    finally:
        server.terminate()
        server.wait(20)
    assert subprocess.run(healthy, capture_output=True, check=False).returncode == 1
    assert "Traceback" not in log.read_text()
    assert blog("worker", "--help").returncode == 0


def test_a_wheel_keeps_content_and_data_where_it_is_started_and_never_among_the_programs(
    installed: Path, tmp_path: Path
) -> None:
    code = (
        "import blog, blog.settings as s; fields = s.Settings.model_fields\n"
        "print(blog.__file__, s.SHIPPED, fields['content_dir'].default, fields['var_dir'].default)"
    )
    environment = {"PATH": os.environ["PATH"]}
    done = subprocess.run(
        [installed / "python", "-c", code],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    package, shipped, content, var = map(Path, done.stdout.split())
    assert package.is_relative_to(installed.parent)
    assert shipped.is_relative_to(installed.parent)
    assert (content, var) == (tmp_path / "content", tmp_path / "var")
    ours = {
        path.relative_to(ROOT / "templates") for path in (ROOT / "templates").rglob("*") if path.is_file()
    }
    assert {
        path.relative_to(shipped / "templates")
        for path in (shipped / "templates").rglob("*")
        if path.is_file()
    } == ours
