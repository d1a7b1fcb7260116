"""An operator replaces single templates from a folder of their own."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from jinja2 import Environment

from blog import create_app
from blog.db import Database
from blog.errors import SettingsError
from blog.settings import Settings, load_settings
from blog.site import editions
from blog.templating import TEMPLATES, loader, mail_environment
from blog.web.editions import FILE_SECONDS


@pytest.fixture
def own(tmp_path: Path) -> Path:
    folder = tmp_path / "own"
    (folder / "errors").mkdir(parents=True)
    return folder


@pytest.fixture
def app(settings: Settings, database: Database, own: Path) -> Iterator[Flask]:
    made = create_app(settings.model_copy(update={"templates_dir": own}))
    yield made
    made.extensions["blog"].database.dispose()


def _get(app: Flask, address: str) -> tuple[int, str]:
    answer = app.test_client().get(address, headers={"Host": "news.example.org"})
    return answer.status_code, answer.text


ALL = sorted(file.relative_to(TEMPLATES).as_posix() for file in TEMPLATES.rglob("*.*") if file.is_file())


@pytest.mark.parametrize("name", ALL)
def test_every_template_can_be_replaced_singly_and_extended(own: Path, name: str) -> None:
    (own / name).parent.mkdir(parents=True, exist_ok=True)
    (own / name).write_text("{% include 'ours/" + name + "' %} and ours")
    environment = Environment(loader=loader(own))
    source = {each: environment.loader.get_source(environment, each)[0] for each in ALL}  # type: ignore[union-attr]
    shipped = {each: (TEMPLATES / each).read_text() for each in ALL}
    assert {each for each in ALL if source[each] != shipped[each]} == {name}
    assert environment.loader.get_source(environment, f"ours/{name}")[0] == shipped[name]  # type: ignore[union-attr]


def test_one_template_is_replaced_and_the_others_stay(app: Flask, own: Path) -> None:
    (own / "base.html").write_text(
        '{% extends "ours/base.html" %}{% block footer %}<p>Our own footer.</p>{% endblock %}'
    )
    status, page = _get(app, "/archive")
    assert status == 200
    assert "Our own footer." in page
    assert 'class="foot"' not in page
    assert "<h1" in page


def test_a_template_is_replaced_changed_and_taken_away_while_the_site_runs(app: Flask, own: Path) -> None:
    footer = "{{% extends 'ours/base.html' %}}{{% block footer %}}<p>{}</p>{{% endblock %}}"
    assert 'class="foot"' in _get(app, "/archive")[1]
    for words in ("Our first footer.", "Our second and longer footer."):
        (own / "base.html").write_text(footer.format(words))
        time.sleep(editions.TEMPLATE_SECONDS + FILE_SECONDS)
        assert words in _get(app, "/archive")[1]
    (own / "base.html").unlink()
    time.sleep(editions.TEMPLATE_SECONDS + FILE_SECONDS)
    assert 'class="foot"' in _get(app, "/archive")[1]


def test_a_mail_is_replaced_in_the_same_way(own: Path) -> None:
    (own / "emails" / "confirm").mkdir(parents=True)
    (own / "emails" / "confirm" / "subject.txt").write_text("Please confirm")
    environment = mail_environment(own)
    assert environment.get_template("emails/confirm/subject.txt").render() == "Please confirm"
    assert environment.get_template("emails/confirm/body.txt").name == "emails/confirm/body.txt"
    (own / "emails" / "confirm" / "body.txt").write_text("Ours by now")
    assert environment.get_template("emails/confirm/body.txt").render() == "Ours by now"


def test_a_broken_template_of_their_own_still_gets_readers_a_page(app: Flask, own: Path) -> None:
    (own / "base.html").write_text("{% if %}")
    status, page = _get(app, "/")
    assert status == 500
    assert "Something broke on our side" in page
    assert "$" not in page


def test_a_folder_that_is_not_there_is_said_at_the_start(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="BLOG_TEMPLATES_DIR: there is no folder"):
        load_settings(templates_dir=tmp_path / "nowhere")
