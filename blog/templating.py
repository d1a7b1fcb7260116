"""Where templates come from: the operator's own folder first, then ours; each can be replaced singly."""

import re
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import (
    BaseLoader,
    ChoiceLoader,
    Environment,
    FileSystemLoader,
    PrefixLoader,
    StrictUndefined,
    pass_context,
)
from jinja2.runtime import Context
from markupsafe import Markup

from blog import columns, language
from blog.settings import SHIPPED

TEMPLATES = SHIPPED / "templates"
#: What Jinja wants of a template: its text, its file, and whether that is still what would be read.
Source = tuple[str, str | None, Callable[[], bool] | None]
#: Begins the name of a template as it is shipped.
OURS = "ours/"
#: Of an address that is shown: 320 pixels hold two such pieces.
LONGEST_PIECE = 16
_LINE_ENDS = re.compile("[\\x0b\\x0c\\x1c-\\x1e\\x85\\u2028\\u2029]")
_ILLEGIBLE = re.compile("[\\x00-\\x08\\x0b-\\x1f\\x7f-\\x9f\\u2028\\u2029\\u202d\\u202e\\ud800-\\udfff]")


def folders(own: Path | None) -> list[Path]:
    """Return the folders that are looked into, in their order."""
    return [own, TEMPLATES] if own else [TEMPLATES]


def loader(own: Path | None) -> BaseLoader:
    """Return what finds the templates; a name that starts with `ours/` is always ours, to be extended."""
    ours = PrefixLoader({OURS.rstrip("/"): FileSystemLoader(TEMPLATES)})
    all_of_them = ChoiceLoader([ours, *(FileSystemLoader(folder) for folder in folders(own))])
    return _Attentive(all_of_them, own) if own else all_of_them


class _Attentive(BaseLoader):
    """Notices that a template of the operator's own has come to stand before the one that was read."""

    def __init__(self, loader: ChoiceLoader, own: Path) -> None:
        self._loader, self._own = loader, own

    def get_source(self, environment: Environment, template: str) -> Source:
        source, file, is_fresh = self._loader.get_source(environment, template)
        replacing = self._own / template
        if is_fresh is None or template.startswith(OURS) or replacing.is_file():
            return source, file, is_fresh
        return source, file, lambda: is_fresh() and not replacing.is_file()

    def list_templates(self) -> list[str]:
        return self._loader.list_templates()


@cache
def mail_environment(own: Path | None = None) -> Environment:
    """Return the environment that renders mails and frozen pages; HTML is escaped, text is not.

    What it renders speaks the language of the `site` that it is given.
    """
    environment = Environment(
        loader=loader(own),
        autoescape=lambda name: bool(name) and str(name).endswith(".html"),  # noqa: S701 - text stays plain
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        finalize=legible,
        extensions=["jinja2.ext.i18n"],
    )
    environment.install_gettext_callables(_gettext, _ngettext, newstyle=True)  # type: ignore[attr-defined]
    environment.globals |= {"direction": language.direction, "foreign": _foreign}
    environment.filters |= {
        "isolated": isolated,
        "breakable": _breakable,
        "columns": _columns,
        "underlined": columns.underlined,
        "legible": legible,
    }
    return environment


def foreign(tag: str, spoken: str) -> str:
    """Return the attributes of an element whose text is in another language than what is around it."""
    if tag == spoken:
        return Markup()
    return Markup(' lang="{}" dir="{}"').format(tag, language.direction(tag))


def isolated(text: str) -> str:
    """Return a name, an address or a typed word as markup whose direction disturbs nothing around it."""
    return Markup("<bdi>{}</bdi>").format(text)


def _breakable(address: str) -> str:
    """Return an address as markup that may be broken between two lines, whatever becomes of the styles."""
    pieces = [address[at : at + LONGEST_PIECE] for at in range(0, len(address), LONGEST_PIECE)]
    return Markup("<bdi>{}</bdi>").format(Markup("<wbr>").join(pieces))


def _columns(text: object) -> str:
    return columns.wrapped(str(text))


def legible(value: Any) -> Any:
    """Take out what no mail may hold: control characters, halves of pairs, and orders to turn the writing."""
    if not isinstance(value, str) or not _ILLEGIBLE.search(value):
        return value
    return type(value)(_ILLEGIBLE.sub("", _LINE_ENDS.sub("\n", value)))


def _spoken(context: Context) -> str:
    # A macro that is imported without its context knows no site, and speaks as it is written.
    site: Any = context.get("site")
    return str(site.language) if site else language.SOURCE


@pass_context
def _gettext(context: Context, message: str) -> str:
    return language.words(_spoken(context)).gettext(message)


@pass_context
def _ngettext(context: Context, one: str, many: str, number: int) -> str:
    return language.words(_spoken(context)).ngettext(one, many, number)


@pass_context
def _foreign(context: Context, tag: str) -> str:
    return foreign(tag, _spoken(context))
