"""Every view says who it is for."""

import pytest
from flask import Flask

from blog.web.guards import Guard, by_token, development, public, refuse_unguarded


def test_a_view_that_says_nothing_stops_the_start() -> None:
    app = Flask("x", static_folder=None)
    app.add_url_rule("/open", "open", public(lambda: "open"))
    refuse_unguarded(app)
    app.add_url_rule("/bare", "bare", lambda: "bare")
    with pytest.raises(RuntimeError, match=r"without a guard .*: bare"):
        refuse_unguarded(app)


def test_every_view_of_the_site_is_guarded_by_what_protects_it(app: Flask) -> None:
    guards = {rule.rule: app.view_functions[rule.endpoint].guard for rule in app.url_map.iter_rules()}
    by_link = {rule for rule, guard in guards.items() if guard == Guard.TOKEN}
    names = ("account", "confirm", "drafts", "move", "preferences", "restore", "unsubscribe")
    assert by_link == {f"/{name}/<token>" for name in names}
    assert Guard.DEVELOPMENT not in guards.values()


def test_a_decorator_leaves_the_view_as_it_is() -> None:
    for decorate, guard in ((public, "public"), (by_token, "token"), (development, "development")):
        view = decorate(lambda: "said")
        assert view() == "said"
        assert view.guard == guard  # type: ignore[attr-defined]
