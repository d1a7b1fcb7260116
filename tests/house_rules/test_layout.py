"""The rules of the house that a reader of the tree relies on."""

import ast
import json
import re
from pathlib import Path

import pytest

from blog.settings import ROOT, Settings

CODE = sorted((ROOT / "blog").rglob("*.py"))
BAGS = {"utils", "util", "helpers", "helper", "common", "service", "services", "manager", "misc", "lib"}
LONGEST_FILE, LONGEST_FUNCTION = 300, 40


def test_no_file_is_named_after_a_bag() -> None:
    assert [path for path in CODE if path.stem in BAGS or path.parent.name in BAGS] == []


@pytest.mark.parametrize("path", CODE, ids=lambda path: str(path.relative_to(ROOT)))
def test_files_and_functions_stay_small_and_every_module_says_its_purpose(path: Path) -> None:
    source = path.read_text()
    tree = ast.parse(source)
    assert ast.get_docstring(tree), "a module starts with a sentence on its purpose"
    assert source.count("\n") <= LONGEST_FILE
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef):
            length = (node.end_lineno or 0) - node.lineno
            assert length <= LONGEST_FUNCTION, f"{node.name} has {length} lines"


def test_every_setting_is_documented_as_it_is_described_in_the_code() -> None:
    documented = (ROOT / "docs" / "settings.md").read_text()
    for name, field in Settings.model_fields.items():
        row = next((line for line in documented.splitlines() if f"`BLOG_{name.upper()}`" in line), "")
        assert field.description, name
        assert field.description in row, f"docs/settings.md: BLOG_{name.upper()}"


def test_every_mail_has_its_three_files() -> None:
    folders = [path for path in (ROOT / "templates" / "emails").iterdir() if path.is_dir()]
    assert folders
    for folder in folders:
        assert {"subject.txt", "body.txt", "body.html"} <= {path.name for path in folder.iterdir()}, (
            folder.name
        )


def test_the_locks_hold_hashes_and_no_addresses() -> None:
    for name in ("requirements.txt", "requirements-dev.txt"):
        lock = (ROOT / name).read_text()
        assert "--hash=sha256:" in lock
        assert not re.search(r"https?://|--index|--find-links", lock)


def test_the_lock_of_the_gates_pins_every_package_and_names_no_host() -> None:
    text = (ROOT / "tests" / "gates" / "package-lock.json").read_text()
    assert "://" not in text
    lock = json.loads(text)
    packages = {name: package for name, package in lock["packages"].items() if name}
    assert packages
    assert [name for name, package in packages.items() if "integrity" not in package] == []
    assert [name for name, package in packages.items() if "resolved" in package] == []


def test_nothing_marks_text_as_safe_except_what_sync_has_cleaned() -> None:
    allowed = {"article.html", "page.html", "issue.html"}
    for path in (ROOT / "templates").rglob("*.html"):
        if "|safe" in path.read_text().replace(" ", ""):
            assert path.name in allowed, path


def test_no_template_holds_a_script_or_an_inline_style_but_for_the_sum_in_a_flood() -> None:
    for path in (ROOT / "templates").rglob("*.html"):
        if "emails" in path.parts:
            continue
        text = path.read_text()
        if path.name == "doubt.html":
            text = text.replace("""<script src="{{ static('work.js') }}" defer></script>""", "")
        assert not re.search(r"<script(?![^>]*application/ld\+json)|\sstyle=|<style|\son[a-z]+=", text), path
