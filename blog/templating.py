"""Where templates come from: the operator's own folder first, then ours; each can be replaced singly."""

from functools import cache
from pathlib import Path

from jinja2 import ChoiceLoader, Environment, FileSystemLoader, PrefixLoader, StrictUndefined

from blog.settings import ROOT

TEMPLATES = ROOT / "templates"


def folders(own: Path | None) -> list[Path]:
    """Return the folders that are looked into, in their order."""
    return [own, TEMPLATES] if own else [TEMPLATES]


def loader(own: Path | None) -> ChoiceLoader:
    """Return what finds the templates; a name that starts with `ours/` is always ours, to be extended."""
    ours = PrefixLoader({"ours": FileSystemLoader(TEMPLATES)})
    return ChoiceLoader([ours, *(FileSystemLoader(folder) for folder in folders(own))])


@cache
def mail_environment(own: Path | None = None) -> Environment:
    """Return the environment that renders mails and frozen pages; HTML is escaped, text is not."""
    return Environment(
        loader=loader(own),
        autoescape=lambda name: bool(name) and str(name).endswith(".html"),  # noqa: S701 - text stays plain
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
