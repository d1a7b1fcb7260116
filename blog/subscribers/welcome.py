"""The welcome: a Markdown file of the publisher's, sent once to who confirms, with the latest articles."""

import re
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urljoin

import markdown
import nh3
import structlog
from markupsafe import Markup

from blog.content import front_matter
from blog.content.problems import Malformed

FILE = Path("emails") / "welcome.md"
SUBJECT = "Welcome to {name}"
WIDTH = 72
_TAGS = {"p", "br", "a", "em", "strong", "ul", "ol", "li", "h2", "h3", "blockquote", "code"}
_LINK = re.compile(r"\[([^\]]+)\]\(([^)\s]+)\)")

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
    return Letter(subject, _html(body, base), _text(body, base)) if body else None


def _html(body: str, base: str) -> Markup:
    whole = _LINK.sub(lambda link: f"[{link[1]}]({urljoin(base, link[2])})", body)
    clean = nh3.clean(
        markdown.markdown(whole),
        tags=_TAGS,
        attributes={"a": {"href"}},
        url_schemes={"https", "http", "mailto"},
    )
    return Markup(clean)  # noqa: S704 - cleaned one line above


def _text(body: str, base: str) -> str:
    """Return the text as it was written, which is what Markdown is for; only links are spelt out."""
    spelt = _LINK.sub(lambda link: f"{link[1]}: {urljoin(base, link[2])}", body)
    return "\n\n".join(_wrapped(block) for block in re.split(r"\n\s*\n", spelt))


def _wrapped(block: str) -> str:
    if re.match(r"[-*+>#]|\d+\.", block):
        return block
    return textwrap.fill(" ".join(block.split()), WIDTH, break_long_words=False, break_on_hyphens=False)
