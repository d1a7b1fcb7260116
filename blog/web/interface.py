"""The language of the pages: the site's, but behind a person's own link the one they have chosen."""

from collections.abc import Callable, MutableMapping
from gettext import NullTranslations
from typing import Any

import flask.templating
from flask import Flask, g
from flask_babel import Babel, get_translations, refresh

from blog import language, templating
from blog.content.values import Site
from blog.web import page_cache
from blog.web.context import services


class Environment(flask.templating.Environment):
    """Flask's, but the globals of a template are one plain dictionary.

    Jinja compares them at every import of a macro, which is slow through its chain of two. What is put among
    the globals later reaches only templates that are read later.
    """

    def make_globals(self, d: MutableMapping[str, Any] | None) -> MutableMapping[str, Any]:
        return {**self.globals, **(d or {})}


def install(app: Flask) -> None:
    """Have the templates of `app` speak the language of the page, whatever a browser asks for."""
    Babel(
        app,
        locale_selector=lambda: str(language.locale(current_site().language)),
        default_translation_directories=str(language.CATALOGUES),
    )
    # Flask-Babel looks for the catalogue anew at each text, of which a page has twenty.
    app.jinja_env.install_gettext_callables(  # type: ignore[attr-defined]
        lambda message: _words().gettext(message),
        lambda one, many, number: _words().ngettext(one, many, number),
        newstyle=True,
    )
    # Jinja's own `_` looks the other up by its name each time.
    app.jinja_env.globals["_"] = app.jinja_env.globals["gettext"]
    app.jinja_env.globals |= {"direction": language.direction, "foreign": _foreign}
    app.jinja_env.filters |= {"decimal": _spoken(language.decimal), "isolated": templating.isolated}


def current_site() -> Site:
    """Return what `site.toml` says now, read at most once per edition, in the language of this page."""
    # A page asks thirty times: `g` stands for another object, which is looked up once.
    kept = g._get_current_object()
    if "site" not in kept:
        kept.site = page_cache.once("site", services().site)
    site: Site = kept.site
    return site


def speak(tag: str) -> None:
    """Have the rest of this page speak a person's language, where the publisher offers it."""
    g.site = services().site().speaking(tag)
    g.pop("words", None)
    refresh()


def gettext(message: str) -> str:
    """Return a text that was marked where it is written, in the language of this page."""
    return language.say(current_site().language, message)


def _words() -> NullTranslations:
    kept = g._get_current_object()
    if "words" not in kept:
        kept.words = get_translations()
    words: NullTranslations = kept.words
    return words


def _foreign(tag: str) -> str:
    return templating.foreign(tag, current_site().language)


def _spoken(function: Callable[[str, int], str]) -> Callable[[int], str]:
    return lambda value: function(current_site().language, value)
