"""What a reader sees when something goes wrong, and what the log says about it."""

import pytest
from flask import Flask, abort
from flask.testing import FlaskClient
from structlog.testing import capture_logs

from blog.errors import Busy
from blog.web.guards import public


@pytest.fixture
def breaking(app: Flask) -> FlaskClient:
    """A site with views that break in every way."""

    def broken(word: str) -> str:
        raise ValueError(f"typed: {word}")

    def busy() -> str:
        raise Busy("the database is busy")

    def refused(code: int) -> str:
        abort(code)

    app.add_url_rule("/broken/<word>", "broken", public(broken))
    app.add_url_rule("/busy", "busy", public(busy))
    app.add_url_rule("/refused/<int:code>", "refused", public(refused))
    client = app.test_client(use_cookies=False)
    client.environ_base["HTTP_HOST"] = "news.example.org"
    return client


def test_a_fault_is_logged_with_a_reference_and_without_what_was_typed(breaking: FlaskClient) -> None:
    with capture_logs() as logs:
        answer = breaking.get("/broken/ada@example.com")
    assert answer.status_code == 500
    assert "Something broke on our side" in answer.text
    assert len(logs) == 1
    assert logs[0]["reference"] in answer.text
    assert logs[0]["error"] == "ValueError"
    assert logs[0]["endpoint"] == "broken"
    assert "ada@example.com" not in repr(logs)
    assert "ada@example.com" not in answer.text


def test_a_busy_database_asks_the_reader_to_come_back(breaking: FlaskClient) -> None:
    with capture_logs() as logs:
        answer = breaking.get("/busy")
    assert [line["why"] for line in logs] == ["Busy"]
    assert answer.status_code == 503
    assert answer.headers["Retry-After"] == "30"
    assert "was not stored" in answer.text


@pytest.mark.parametrize(
    ("code", "heading"),
    [
        (400, "could not be read"),
        (403, "came from somewhere else"),
        (404, "This page is not here"),
        (410, "withdrawn"),
        (413, "too much at once"),
        (418, "could not be read"),
        (422, "not on offer"),
        (429, "Too many tries"),
        (503, "Back in a moment"),
    ],
)
def test_every_refusal_has_a_page(breaking: FlaskClient, code: int, heading: str) -> None:
    answer = breaking.get(f"/refused/{code}")
    assert answer.status_code == code
    assert heading in answer.text
    assert answer.text.count("<h1>") == 1
    assert answer.headers["Cache-Control"] == "no-store"


def test_a_wrong_method_is_told_the_right_ones(client: FlaskClient) -> None:
    answer = client.post("/archive")
    assert answer.status_code == 405
    assert "GET" in answer.headers["Allow"]
    assert "nothing can be sent to it" in answer.text


def test_a_form_that_is_too_large_is_refused(client: FlaskClient) -> None:
    assert client.post("/subscribe", data={"email": "a" * 70_000}).status_code == 413
    many = {f"field-{number}": "x" for number in range(200)}
    answer = client.post("/subscribe", data=many, content_type="multipart/form-data")
    assert answer.status_code == 413
