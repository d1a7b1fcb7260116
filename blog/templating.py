"""Templates for mails and frozen pages, outside any request; the same folder as the site's pages."""

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from blog.settings import ROOT

TEMPLATES = ROOT / "templates"


def mail_environment() -> Environment:
    """Return the environment that renders `templates/emails`; HTML is escaped, text is not."""
    return Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=lambda name: bool(name) and str(name).endswith(".html"),  # noqa: S701 - text stays plain
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
