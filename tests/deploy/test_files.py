"""The files of deploy/, each judged by the tool of its own kind."""

import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml

from blog.settings import ROOT, Settings
from tests.deploy import containerfile
from tests.journeys.installation import Installation

DEPLOY = ROOT / "deploy"
UNITS = sorted((DEPLOY / "systemd").glob("*.service"))
COMPOSE = sorted(DEPLOY.glob("compose*.yaml"))
#: `systemd-analyze security` counts in tenths; the bar for a service of ours is 2.0.
MOST_EXPOSED = 20


def tool(name: str, package: str) -> str:
    """Find a program of this machine; without it a test is skipped, but never where CI is set."""
    found = shutil.which(name, path=f"{os.environ['PATH']}:/usr/sbin:{Path(sys.executable).parent}")
    if not found:
        message = f"no {name} found: install {package}"
        (pytest.fail if os.environ.get("CI") else pytest.skip)(message)
    return str(found)


def judged(*command: str | Path, expect: int = 0) -> str:
    done = subprocess.run([*map(str, command)], capture_output=True, text=True, check=False)
    assert done.returncode == expect, done.stdout + done.stderr
    return done.stdout + done.stderr


def test_the_containerfile_is_one_that_hadolint_has_nothing_to_say_about(tmp_path: Path) -> None:
    hadolint = tool("hadolint", "the development dependencies (make test)")
    judged(hadolint, DEPLOY / "Containerfile")
    bad = tmp_path / "Containerfile"
    bad.write_text("FROM python:latest\nRUN pip install flask\n")
    assert "DL3007" in judged(hadolint, bad, expect=1)


def test_the_image_runs_as_nobody_and_holds_only_what_the_build_takes() -> None:
    (user,) = containerfile.instructions("USER")
    assert all(int(number) >= 10_000 for number in user.split(":"))
    assert containerfile.command("ENTRYPOINT") == ["blog"]
    let_in = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    assert let_in == set(containerfile.copied())
    assert all((ROOT / name).exists() for name in let_in)


@pytest.mark.parametrize("path", COMPOSE, ids=lambda path: path.name)
def test_a_compose_file_is_one_by_the_specification(path: Path, tmp_path: Path) -> None:
    check = tool("check-jsonschema", "the development dependencies (make test)")
    judged(check, "--builtin-schema", "vendor.compose-spec", path)
    bad = tmp_path / path.name
    bad.write_text(path.read_text().replace("command: [sync]", "comand: [sync]"))
    judged(check, "--builtin-schema", "vendor.compose-spec", bad, expect=1)


@pytest.mark.parametrize("path", COMPOSE, ids=lambda path: path.name)
def test_in_a_compose_file_everything_of_ours_is_locked_down_and_starts_after_the_upgrade(path: Path) -> None:
    found = yaml.safe_load(path.read_text())
    ours = {name: service for name, service in found["services"].items() if service["image"] == "blog:latest"}
    assert {"upgrade", "sync", "web", "worker"} <= set(ours)
    for name, service in ours.items():
        assert service["read_only"] is True, name
        assert service["cap_drop"] == ["ALL"], name
        assert "no-new-privileges:true" in service["security_opt"], name
        assert "var:/srv/blog/var" in service["volumes"], name
        if name != "upgrade":
            assert service["depends_on"]["upgrade"]["condition"] == "service_completed_successfully", name
    named = {
        mount.split(":")[0] for service in found["services"].values() for mount in service.get("volumes", [])
    }
    assert {name for name in named if "/" not in name} == set(found["volumes"])
    for service in found["services"].values():
        assert set(service.get("depends_on", {})) <= set(found["services"])
        for port in service.get("ports", []):
            assert port.startswith("127.0.0.1:") or service["image"].startswith("caddy"), port


def runnable(unit: Path, folder: Path) -> Path:
    """Copy a unit with the paths of this machine: systemd looks whether the programs are there."""
    text = re.sub(r"/opt/blog/bin/\S+", sys.executable, unit.read_text())
    copy = folder / unit.name
    copy.write_text(text)
    return copy


def test_the_units_are_sound_and_hardened(tmp_path: Path) -> None:
    analyze = tool("systemd-analyze", "systemd")
    copies = [runnable(unit, tmp_path) for unit in UNITS]
    timer = shutil.copy(DEPLOY / "systemd" / "blog-backup.timer", tmp_path)
    assert judged(analyze, "verify", "--man=no", *copies, timer) == ""
    judged(analyze, "security", "--offline=yes", f"--threshold={MOST_EXPOSED}", "--no-pager", *copies)
    soft = tmp_path / "soft.service"
    soft.write_text(copies[0].read_text().replace("SystemCallFilter", "#").replace("ProtectSystem", "#"))
    judged(analyze, "security", "--offline=yes", f"--threshold={MOST_EXPOSED}", "--no-pager", soft, expect=1)


def test_every_command_of_a_unit_or_a_container_is_one_of_ours() -> None:
    from blog.cli import COMMANDS

    started = [re.findall(r"(?m)^ExecStart=/opt/blog/bin/blog (\S+)", unit.read_text()) for unit in UNITS]
    services = [yaml.safe_load(path.read_text())["services"].values() for path in COMPOSE]
    commands = [
        s["command"][0] for group in services for s in group if "command" in s and "entrypoint" not in s
    ]
    ours = {word for words in started for word in words} | {
        word for word in commands if word != "redis-server"
    }
    assert ours == {"serve", "worker", "db", "sync"}
    assert ours <= set(COMMANDS)


def test_every_setting_in_the_examples_exists_and_they_agree() -> None:
    env = (DEPLOY / "blog.env.example").read_text()
    toml = tomllib.loads((DEPLOY / "blog.toml.example").read_text())
    named = {name.lower() for name in re.findall(r"(?m)^BLOG_([A-Z_]+)=", env)}
    assert named | set(toml) <= set(Settings.model_fields)
    assert named == set(toml) - {"content_dir", "var_dir"}
    assert toml["trusted_proxies"] == 1
    for path in (*DEPLOY.glob("*"), *UNITS):
        if path.is_file():
            used = {name.lower() for name in re.findall(r"BLOG_([A-Z_]+)", path.read_text())}
            assert used <= set(Settings.model_fields), path.name


def test_the_shell_lines_are_sound(tmp_path: Path) -> None:
    shellcheck = tool("shellcheck", "shellcheck")
    runs = tmp_path / "runs.sh"
    runs.write_text("#!/bin/sh\n" + "\n".join(containerfile.instructions("RUN")) + "\n")
    judged(shellcheck, DEPLOY / "blog-backup", runs, ROOT / ".ci" / "run")


def test_the_nightly_backup_is_proven_and_replaces_last_weeks_only_then(
    migrated_sqlite: Path, tmp_path: Path
) -> None:
    shutil.copy(migrated_sqlite, tmp_path / "blog.db")
    site = Installation(tmp_path, f"sqlite:///{tmp_path / 'blog.db'}", smtp_port=1, port=8000)
    backups = tmp_path / "backups"
    backups.mkdir()
    programs = tmp_path / "programs"
    programs.mkdir()
    shutil.copy(DEPLOY / "blog-backup", programs)
    (programs / "blog").symlink_to(Path(sys.executable).parent / "blog")

    def run() -> int:
        command = [programs / "blog-backup", backups]
        return subprocess.run(command, env=site.environment, capture_output=True, check=False).returncode

    assert run() == 0
    (made,) = backups.iterdir()
    assert re.fullmatch(r"(Mon|Tue|Wed|Thu|Fri|Sat|Sun)\.tar\.gz", made.name)
    before = made.read_bytes()
    (tmp_path / "blog.db").write_bytes(b"no database at all" * 500)
    assert run() != 0
    assert made.read_bytes() == before


def test_the_examples_make_a_site_that_starts_once_the_secret_is_filled_in(tmp_path: Path) -> None:
    (tmp_path / "blog.toml").write_text(
        (DEPLOY / "blog.toml.example").read_text().replace('secret_key = ""', f'secret_key = "{"k3y" * 20}"')
    )
    code = "import json; from blog.settings import load_settings; print(json.dumps(load_settings().site_url))"
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, env={"PATH": os.environ["PATH"]},
                          capture_output=True, text=True, check=True)  # fmt: skip
    assert json.loads(done.stdout) == "https://news.example.org"
