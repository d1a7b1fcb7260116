"""`site.toml`: what the publication is called, its topics, authors and schedules."""

import re
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from blog import language
from blog.content import fonts, offers
from blog.content.headers import toml_error
from blog.content.keys import plain
from blog.content.raw_html import ESCAPE, MODES
from blog.content.slugs import is_slug, slug_for
from blog.content.values import Author, Problem, Site, Topic
from blog.theme import too_pale

FILE = "site.toml"
_TEXTS = ("name", "tagline", "description")
_SIGNUP = ("title", "pitch", "promise")
_KNOWN = {
    *(*_TEXTS, "language", "languages", "timezone", "accent", "logo", "raw_html", "signup", "navigation"),
    *("first_address", "fonts", "privacy", "topics", "series", "authors", "digests"),
}

_cache: dict[Path, tuple[tuple[int, int], Site]] = {}


def load_site(content_dir: Path) -> tuple[Site, list[Problem]]:
    """Read `site.toml`; whatever is missing or wrong there gets its default."""
    site, problems, _ = read_site(content_dir)
    return site, problems


def cached_site(content_dir: Path) -> Site:
    """Return the site, read again when the file has changed; while it is malformed, the last good one."""
    path = content_dir / FILE
    try:
        status = path.stat()
    except OSError:
        return Site()
    state = (status.st_mtime_ns, status.st_size)
    kept = _cache.get(path)
    if kept is None or kept[0] != state:
        site, _, sound = read_site(content_dir)
        kept = _cache[path] = (state, kept[1] if kept and not sound else site)
    return kept[1]


def read_site(content_dir: Path) -> tuple[Site, list[Problem], bool]:
    """Read `site.toml`; the last value says whether its time zone can be relied on.

    Without the zone nobody knows when an article is due: publishing would be a guess, hours off.
    """
    path = content_dir / FILE
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except FileNotFoundError:
        return Site(), [], True
    except (OSError, UnicodeDecodeError) as error:
        return Site(), [Problem(FILE, None, f"it cannot be read: {error}", "save it as UTF-8 text")], False
    try:
        table = tomllib.loads(text.replace("\r\n", "\n"))
    except (ValueError, RecursionError) as error:
        line, reason = toml_error(error, text)
        hint = 'text needs quotes: name = "…"; until this is mended articles stay as they are'
        return Site(), [Problem(FILE, line, f"malformed TOML: {reason}", hint)], False
    reader = _Reader(table, text, content_dir)
    site = reader.site()
    return site, reader.problems, reader.zone_known


class _Reader:
    """Reads the table key by key; a value of the wrong kind is reported and replaced by its default."""

    def __init__(self, table: dict[str, Any], text: str, content_dir: Path) -> None:
        self.problems: list[Problem] = []
        self.zone_known = True
        self._table, self._text, self._content_dir = table, text, content_dir

    def site(self) -> Site:
        default, signup = Site(), self._section("signup")
        for key in sorted(self._table.keys() - _KNOWN):
            self._wrong(key, "is not a known key", f"known are {', '.join(sorted(_KNOWN))}")
        texts = {key: self._text_of(self._table, key, getattr(default, key)) for key in _TEXTS}
        words = {
            f"signup_{key}": self._text_of(signup, key, getattr(default, f"signup_{key}")) for key in _SIGNUP
        }
        accent = self._checked("accent", default.accent, _is_colour, 'write a colour such as "#97301B"')
        pale = too_pale(accent)
        if pale:
            self._wrong("accent", pale, "a darker colour is shown as it is", notice=True)
        spoken = self._checked("language", default.language, _is_language, 'write "en", or "pt-BR"')
        return Site(
            **texts,
            **words,
            language=spoken,
            languages=self._languages(spoken),
            timezone=self._timezone(default.timezone),
            accent=accent,
            raw_html=self._checked("raw_html", ESCAPE, MODES.__contains__, f"write {', '.join(MODES)}")
            if "raw_html" in self._table
            else default.raw_html,
            logo=self._logo(),
            fonts=self._fonts(),
            privacy=self._checked("privacy", "", _is_link, 'write "/privacy", or a whole address'),
            first_address=self._checked("first_address", "", _is_origin, 'write "https://old.example.org"'),
            navigation=self._navigation(default.navigation),
            topics=tuple(Topic(*row) for row in self._described("topics", "description")),
            series=tuple(Topic(*row) for row in self._described("series", "description")),
            authors=tuple(Author(*row) for row in self._described("authors", "bio", "url")),
            digests=self._section("digests"),
        )

    def _wrong(self, key: str, message: str, hint: str, notice: bool = False) -> None:
        line = next(
            (
                number
                for number, row in enumerate(self._text.splitlines(), start=1)
                if re.match(rf"\s*\[*\s*{re.escape(key)}\b", row)
            ),
            None,
        )
        self.problems.append(Problem(FILE, line, f"{key}: {message}", hint, notice))

    def _section(self, key: str) -> dict[str, Any]:
        value = self._table.get(key, {})
        if isinstance(value, dict):
            return value
        self._wrong(key, "is not a section", f"write [{key}] on a line of its own, its keys below")
        return {}

    def _rows(self, key: str) -> list[dict[str, Any]]:
        value = self._table.get(key, [])
        if isinstance(value, list) and all(isinstance(row, dict) for row in value):
            return value
        self._wrong(key, "is not a list of sections", f"write [[{key}]] on a line of its own, its keys below")
        return []

    def _text_of(self, table: dict[str, Any], key: str, default: str) -> str:
        value = table.get(key, default)
        if isinstance(value, str):
            return " ".join(value.split())
        self._wrong(key, f"{value!r} is not text", f'write {key} = "…"')
        return default

    def _checked(self, key: str, default: str, good: Callable[[str], bool], hint: str) -> str:
        value = self._text_of(self._table, key, default)
        if good(value):
            return value
        self._wrong(key, f"{value!r} is not understood", hint)
        return default

    def _languages(self, spoken: str) -> tuple[str, ...]:
        """Return what a subscriber may choose from; with fewer than two there is no choice."""
        given = self._table.get("languages", [])
        if not isinstance(given, list) or not all(isinstance(tag, str) for tag in given):
            self._wrong(
                "languages", f"{given!r} is not a list of languages", 'write languages = ["en", "de"]'
            )
            return ()
        unknown = [tag for tag in given if not _is_language(tag) or not language.has_words(tag)]
        if unknown:
            known = ", ".join(language.offered())
            self._wrong("languages", f"there are no words for {', '.join(unknown)}", f"choose from {known}")
        if given and spoken not in given:
            self._wrong("languages", f"{spoken!r}, the site's own, is missing", f'add "{spoken}" to the list')
        found = tuple(dict.fromkeys([spoken, *(tag for tag in given if tag not in unknown)]))
        return found if len(found) > 1 else ()

    def _timezone(self, default: str) -> str:
        hint = 'write a name such as "Europe/Berlin"; until this is mended articles stay as they are'
        before = len(self.problems)
        zone = self._checked("timezone", default, _is_zone, hint)
        self.zone_known = len(self.problems) == before
        return zone

    def _navigation(self, default: tuple[tuple[str, str], ...]) -> tuple[tuple[str, str], ...]:
        links = []
        for row in self._rows("navigation"):
            label, url = self._text_of(row, "label", ""), self._text_of(row, "url", "")
            if label and url and _is_link(url):
                links.append((label, url))
            else:
                self._wrong("navigation", "an entry is left out", 'give it label = "…" and url = "/…"')
        return tuple(links) if "navigation" in self._table else default

    def _logo(self) -> str:
        """Return the logo; one whose file is missing is kept, since it may be put beside this file yet."""
        hint = 'write the path of an image beside this file: "logo.svg"'
        name = self._checked("logo", "", _is_image, hint)
        if name and offers.offered(self._content_dir, name) is None:
            self._wrong("logo", f"there is no image {name!r} in the content folder, the name is shown", hint)
        return name

    def _fonts(self) -> dict[str, str]:
        """Return the fonts; one whose file is wrong is kept, since it may be put right beside this file."""
        section = self._section("fonts")
        found: dict[str, str] = {}
        for key in sorted(section.keys() - set(fonts.USES)):
            self._wrong(key, "is not a known key of [fonts]", f"known are {', '.join(fonts.USES)}")
        for use in fonts.USES:
            given = self._text_of(section, use, "")
            name = fonts.named(given)
            data = fonts.read(self._content_dir, name) if name else None
            if given and data is None:
                hint = f'write the path of one beside this file: {use} = "fonts/own.woff2"'
                self._wrong(use, f"{given!r} is no WOFF2 font in the content folder, ours is shown", hint)
            elif data and len(data) > fonts.MOST_KB * 1024:
                hint = f"take out the characters that no text has; most need less than {fonts.MOST_KB} KB"
                large = f"{given!r} has {len(data) // 1024} KB, and every reader waits"
                self._wrong(use, large, hint, notice=True)
            if name:
                found[use] = name
        return found

    def _described(self, key: str, *about: str) -> list[tuple[str, ...]]:
        """Return slug, name and the texts in `about` of every entry of a list of topics, series or people."""
        found: dict[str, tuple[str, ...]] = {}
        for row in self._rows(key):
            name = plain(row.get("name")) or plain(row.get("slug")) or ""
            slug = plain(row.get("slug")) or slug_for(name)
            if not name or not is_slug(slug) or slug in found:
                hint = 'give it name = "…" and a slug of its own: lower-case letters, digits and hyphens'
                self._wrong(key, f"the entry {name or slug!r} is left out", hint)
                continue
            found[slug] = (slug, name, *(self._text_of(row, text, "") for text in about))
        return list(found.values())


def _is_zone(name: str) -> bool:
    try:
        return bool(ZoneInfo(name).key)
    except (ValueError, OSError, KeyError):  # what zoneinfo raises for odd, unreadable and unknown names
        return False


def _is_language(tag: str) -> bool:
    return re.fullmatch(r"[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8}){0,3}", tag) is not None


def _is_colour(text: str) -> bool:
    return re.fullmatch(r"#[0-9A-Fa-f]{6}", text) is not None


def _is_link(address: str) -> bool:
    return not address or re.match(r"/(?!/)|https?://", address) is not None


def _is_origin(address: str) -> bool:
    # As it was set then, to the letter, capitals and what is beyond ASCII: names are compared, not visited.
    return not address or re.fullmatch(r"https?://[^\s/?#]+", address) is not None


def _is_image(path: str) -> bool:
    return (
        not path or re.fullmatch(r"(?!/)(?!.*\.\.)[\w./-]+\.(svg|png|webp|avif|jpe?g|gif)", path) is not None
    )
