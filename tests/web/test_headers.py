"""Headers: on every route, for every method and every kind of answer."""

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.routing import Rule
from werkzeug.test import TestResponse

from blog import create_app
from blog.settings import Settings
from blog.web.guards import Guard

VALUES = {
    "door": "ses",
    "slug": "x",
    "token": "forged",
    "name": "lost",
    "digest": "0",
    "path": "a.png",
    "issue_id": "1",
    "form": "xml",
    "number": "2",
    "cadence": "weekly",
    "width": "480",
    "version": "0123456789",
}


def _address(rule: Rule) -> str:
    address = rule.rule
    for argument in rule.arguments:
        for converter in ("", "path:", "int:"):
            address = address.replace(f"<{converter}{argument}>", VALUES[argument])
    return address


def _check(answer: TestResponse) -> None:
    headers = answer.headers
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert headers["Cross-Origin-Resource-Policy"] in ("same-origin", "cross-origin")
    assert "camera=()" in headers["Permissions-Policy"]
    assert headers["Strict-Transport-Security"].startswith("max-age=31536000")
    assert headers["Content-Security-Policy"].startswith("default-src 'none'")
    assert headers["Referrer-Policy"]
    assert headers["Cache-Control"]
    assert "Set-Cookie" not in headers
    assert "Cookie" not in headers.get("Vary", "")
    assert "Server" not in headers
    if answer.mimetype in ("text/html", "text/plain", "text/css"):
        assert "charset=utf-8" in headers["Content-Type"]


def test_every_route_and_method_carries_them(app: Flask, client: FlaskClient) -> None:
    for rule in app.url_map.iter_rules():
        for method in ("GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "TRACE"):
            answer = client.open(_address(rule), method=method)
            assert answer.status_code < 500, (method, rule.rule)
            _check(answer)


def test_nothing_on_a_page_may_run_or_load_from_elsewhere(client: FlaskClient) -> None:
    policy = client.get("/").headers["Content-Security-Policy"]
    assert "script-src 'none'" in policy
    assert "unsafe" not in policy
    assert "data:" not in policy
    for directive in ("form-action 'self'", "base-uri 'none'", "frame-ancestors 'none'", "style-src 'self'"):
        assert directive in policy


def test_a_page_behind_a_mailed_link_is_kept_found_and_told_nowhere(app: Flask, client: FlaskClient) -> None:
    for rule in app.url_map.iter_rules():
        if app.view_functions[rule.endpoint].guard == Guard.TOKEN:
            headers = client.get(_address(rule)).headers
            assert headers["Cache-Control"] == "no-store"
            assert headers["Referrer-Policy"] == "no-referrer"
            assert headers["X-Robots-Tag"] == "noindex, nofollow"


def test_a_browser_asks_for_a_page_anew_and_a_cdn_may_keep_it_for_a_minute(client: FlaskClient) -> None:
    headers = client.get("/").headers
    assert headers["Cache-Control"] == "public, max-age=0, s-maxage=60, stale-if-error=86400"
    assert headers["Referrer-Policy"] == "strict-origin-when-cross-origin"


def test_a_publisher_can_have_every_page_asked_for_anew(settings: Settings) -> None:
    app = create_app(settings.model_copy(update={"shared_cache_seconds": 0}))
    client = app.test_client()
    client.environ_base["HTTP_HOST"] = "news.example.org"
    assert client.get("/").headers["Cache-Control"] == "public, max-age=0, must-revalidate"
    app.extensions["blog"].database.dispose()


@pytest.mark.parametrize("address", ["/nothing/here", "/articles/nothing", "/confirm/a/b"])
def test_an_error_is_kept_by_nobody(client: FlaskClient, address: str) -> None:
    answer = client.get(address)
    assert answer.status_code == 404
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    _check(answer)
