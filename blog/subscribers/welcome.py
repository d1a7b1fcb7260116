"""The welcome: a Markdown file of the publisher's, sent once to who confirms, with the latest articles."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import structlog
from markupsafe import Markup

from blog.content import front_matter
from blog.content.problems import Malformed
from blog.delivery import prose

FILE = Path("emails") / "welcome.md"
SUBJECT = "Welcome to {name}"

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Teaser:
    """An article as the welcome names it."""

    title: str
    url: str
    summary: str
    language: str


@dataclass(frozen=True)
class Letter:
    """The publisher's own words, for both parts of the mail."""

    subject: str
    html: Markup
    text: str


Latest = Sequence[Teaser]


def read(content_dir: Path, site_name: str, base: str) -> Letter | None:
    """Return the letter of a publication; None where there is none, or none that can be read."""
    path = content_dir / FILE
    try:
        header = front_matter.read(path.read_bytes(), str(FILE))
    except FileNotFoundError:
        return None
    except (OSError, Malformed) as error:
        log.warning("welcome.not_readable", why=type(error).__name__)
        return None
    body = header.body.strip()
    subject = " ".join(str(header.fields.get("subject") or SUBJECT.format(name=site_name)).split())
    html = prose.html(body, base)
    return Letter(subject, html, prose.text(html)) if body else None
