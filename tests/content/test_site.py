"""`site.toml`."""

import os
from pathlib import Path

import pytest

from blog.content.site import cached_site, load_site
from blog.content.values import Author, Site, Topic
from tests.content.folders import write


def test_everything_has_a_default(tmp_path: Path) -> None:
    assert load_site(tmp_path) == (Site(), [])


def test_everything_can_be_said(tmp_path: Path) -> None:
    write(
        tmp_path,
        "site.toml",
        """
name = "Signal"
language = "pt-BR"
timezone = "Europe/Berlin"
accent = "#2A3BE0"
privacy = "/how-we-treat-you"
first_address = "http://Bücher.example:8080"
[signup]
title = "Join"
[[navigation]]
label = "About"
url = "/about"
[[topics]]
name = "Big Things"
[[authors]]
slug = "mara"
name = "Mara"
bio = "Writes."
[digests.weekly]
day = "friday"
""",
    )
    site, problems = load_site(tmp_path)
    assert problems == []
    assert (site.name, site.language, site.timezone, site.accent) == (
        "Signal",
        "pt-BR",
        "Europe/Berlin",
        "#2A3BE0",
    )
    assert site.privacy == "/how-we-treat-you"
    assert site.first_address == "http://Bücher.example:8080"
    assert (site.signup_title, site.signup_promise) == ("Join", Site().signup_promise)
    assert site.navigation == (("About", "/about"),)
    assert site.topics == (Topic("big-things", "Big Things"),)
    assert site.authors == (Author("mara", "Mara", "Writes."),)
    assert site.digests == {"weekly": {"day": "friday"}}


@pytest.mark.parametrize(
    ("line", "key"),
    [
        ("name = 3", "name"),
        ('accent = "red"', "accent"),
        ('timezone = "Berlin"', "timezone"),
        ('timezone = "../etc/passwd"', "timezone"),
        ('language = "german please"', "language"),
        ("signup = 1", "signup"),
        ("topics = [1]", "topics"),
        ('topics = [{slug = "No Slug", name = "x"}]', "topics"),
        ('topics = [{name = "x"}, {name = "X"}]', "topics"),
        ('navigation = [{label = "x", url = "javascript:alert(1)"}]', "navigation"),
        ('privacy = "javascript:alert(1)"', "privacy"),
        ('privacy = "privacy.html"', "privacy"),
        ('first_address = "old.example.org"', "first_address"),
        ('first_address = "https://old.example.org/blog"', "first_address"),
        ('first_address = "https://old.example.org/"', "first_address"),
        ("nonsense = 1", "nonsense"),
        ('fonts = "own.woff2"', "fonts"),
    ],
)
def test_a_mistake_is_named_with_its_line_and_the_rest_stands(tmp_path: Path, line: str, key: str) -> None:
    write(tmp_path, "site.toml", f'tagline = "Kept"\n{line}\n')
    site, problems = load_site(tmp_path)
    assert site.tagline == "Kept"
    assert [(problem.line, problem.message.partition(":")[0]) for problem in problems] == [(2, key)]


@pytest.mark.parametrize(
    ("line", "said", "kept"),
    [
        ('text = "own.woff2"', [], {"text": "own.woff2"}),
        ('heading = "./own.woff2"', [], {"heading": "own.woff2"}),
        ('text = ""', [], {}),
        ("text = 3", ["text: 3 is not text"], {}),
        ('body = "own.woff2"', ["body: is not a known key of [fonts]"], {}),
        ('text = "gone.woff2"', ["text: 'gone.woff2' is no WOFF2 font"], {"text": "gone.woff2"}),
        ('text = ".own.woff2"', ["text: '.own.woff2' is no WOFF2 font"], {"text": ".own.woff2"}),
        ('text = "fake.woff2"', ["text: 'fake.woff2' is no WOFF2 font"], {"text": "fake.woff2"}),
        ('text = "../own.woff2"', ["text: '../own.woff2' is no WOFF2 font"], {}),
        ('text = "/own.woff2"', ["text: '/own.woff2' is no WOFF2 font"], {}),
        ('text = "own.ttf"', ["text: 'own.ttf' is no WOFF2 font"], {}),
        ('text = "large.woff2"', ["text: 'large.woff2' has 101 KB"], {"text": "large.woff2"}),
    ],
)
def test_a_font_is_a_woff2_file_of_the_folder(
    tmp_path: Path, line: str, said: list[str], kept: dict[str, str]
) -> None:
    for name in ("own.woff2", ".own.woff2", "own.ttf"):
        write(tmp_path / "content", name, b"wOF2")
    write(tmp_path, "own.woff2", b"wOF2")
    write(tmp_path / "content", "fake.woff2", b"OTTO")
    write(tmp_path / "content", "large.woff2", b"wOF2" + bytes(101 * 1024))
    write(tmp_path / "content", "site.toml", f"[fonts]\n{line}\n")
    site, problems = load_site(tmp_path / "content")
    assert site.fonts == kept
    assert [problem.message[: len(start)] for problem, start in zip(problems, said, strict=True)] == said
    assert [(problem.line, problem.notice) for problem in problems] == [(2, "large" in line) for _ in said]


@pytest.mark.parametrize("raw", [b"name = \n", b"name = 'caf\xe9'"])
def test_a_malformed_file_gives_the_defaults_and_a_problem(tmp_path: Path, raw: bytes) -> None:
    write(tmp_path, "site.toml", raw)
    site, problems = load_site(tmp_path)
    assert site == Site()
    assert [problem.file for problem in problems] == ["site.toml"]


def test_the_site_is_read_again_when_its_file_changes_and_kept_while_it_is_broken(tmp_path: Path) -> None:
    path = write(tmp_path, "site.toml", 'name = "One"')
    assert cached_site(tmp_path).name == "One"
    assert cached_site(tmp_path) is cached_site(tmp_path)
    path.write_text('name = "Second"')
    assert cached_site(tmp_path).name == "Second"
    path.write_text('name = "Broken')
    os.utime(path, (1, 1))
    assert cached_site(tmp_path).name == "Second"
    path.unlink()
    assert cached_site(tmp_path) == Site()
