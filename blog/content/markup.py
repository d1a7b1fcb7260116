"""Markdown to the HTML of a page: converted, sanitised, then mended where a reader needs more."""

import re
import threading
from dataclasses import dataclass, fields
from xml.etree.ElementTree import Element

from markdown import Markdown

from blog.content import dialect, films, headings, highlighting, images, labels, notes, wording
from blog.content.dialect import new_markdown
from blog.content.effort import TooMuch
from blog.content.problems import Malformed
from blog.content.raw_html import ESCAPE, SANITIZE, TRUST
from blog.content.references import Shelf
from blog.content.sanitising import sanitised
from blog.content.tree import parse, remove, replace, serialised, text_of, with_parents
from blog.content.values import Entry, Problem, Prose

#: Ids that the page around a text uses.
PAGE_IDS = {"latest", "main", "related", "signup-title", "subscribe"}

_TASK = re.compile(r"\s*\[([ xX])\]\s+")

#: Nobody mends more of one text at a time.
MOST_PROBLEMS = 200

_thread = threading.local()


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What is short about a rendered text."""

    title: str | None
    opening: str
    words: int
    minutes: int
    links: list[str]
    images_elsewhere: int
    problems: list[Problem]


@dataclass(frozen=True, kw_only=True)
class Rendered(Facts):
    """One text, ready for a page."""

    html: str
    text: str
    headings: list[Entry]

    @property
    def facts(self) -> Facts:
        """What is short about it, alone."""
        return Facts(**{item.name: getattr(self, item.name) for item in fields(Facts)})

    @property
    def prose(self) -> Prose:
        """What is long about it."""
        titles = [entry["title"] for entry in self.headings]
        return Prose(self.html, self.text, headings.contents(self.headings), titles)


@dataclass(frozen=True)
class Text:
    """What is to be rendered: a file's body, where it stands in the file, and its title if it has one."""

    source: str
    body: str
    first_line: int = 1
    title: str | None = None
    raw_html: str = SANITIZE
    language: str = "en"


def render(text: Text, shelf: Shelf) -> Rendered:
    """Render a text, or raise `Malformed` when it breaks the renderer."""
    try:
        return _render(text, shelf)
    except TooMuch as excess:
        line = _line_of(text, excess.line.strip(" >")) or text.first_line
        hint = "split it with empty lines, or put signs that mean themselves between backticks"
        raise Malformed(text.source, line, f"the text cannot be rendered: {excess}", hint) from None
    except Exception as error:  # whatever a text does to the parser concerns that text only
        raise Malformed(
            text.source,
            text.first_line,
            f"the text cannot be rendered ({type(error).__name__})",
            "look for very deep nesting or unusual markup, and take it out piece by piece",
        ) from error


def _render(text: Text, shelf: Shelf) -> Rendered:
    problems: list[Problem] = []
    html, mistakes, codes = _converted(text)
    for place, message, hint in mistakes[:MOST_PROBLEMS]:
        line = text.first_line + place if isinstance(place, int) else _line_of(text, place)
        problems.append(Problem(text.source, line, message, hint))
    root = parse(sanitised(html, trusted=text.raw_html == TRUST))
    highlighting.put_back(root, codes)
    title = headings.take_title(root, text.title)
    prose, opening = wording.prose(root), wording.opening(root)
    words = wording.count(prose)
    _settle_ids(root)
    notes.settle(root, text.language)
    report = _reporter(text, problems)
    links = _settle_links(root, shelf, text.source, report)
    films.place(root, shelf, text.source, report)
    elsewhere = images.place(root, shelf, text.source, report)
    images.make_figures(root)
    _mend_tasks(root, text.language)
    entries = headings.arrange(root, text.language)
    _mend_code(root)
    _mend_tables(root, text.language)
    labels.put(root, text.language)
    return Rendered(
        title=title,
        html=serialised(root),
        text=prose,
        opening=opening,
        headings=entries,
        words=words,
        minutes=wording.minutes(words, root),
        links=links,
        images_elsewhere=elsewhere,
        problems=problems,
    )


def _converted(text: Text) -> tuple[str, list[dialect.Mistake], list[str]]:
    # Making a converter costs more than using it; it keeps state, so each thread has its own.
    kept = "plain" if text.raw_html == ESCAPE else "with_html"
    markdown: Markdown | None = getattr(_thread, kept, None)
    if markdown is None:
        markdown = new_markdown(html=text.raw_html != ESCAPE)
        setattr(_thread, kept, markdown)
    markdown.reset()
    try:
        html = markdown.convert(text.body)
        return (html, dialect.mistakes(markdown), dialect.codes(markdown)) if html else ("", [], [])
    except BaseException:
        delattr(_thread, kept)  # what was being parsed would go on in the next text
        raise


def _reporter(text: Text, problems: list[Problem]) -> images.Report:
    def report(address: str, message: str, hint: str) -> None:
        if len(problems) < MOST_PROBLEMS:
            problems.append(Problem(text.source, _line_of(text, address), message, hint))

    return report


def _line_of(text: Text, words: str) -> int | None:
    """Return the first line of the file whose text holds these characters."""
    found = text.body.find(words) if words else -1
    return text.first_line + text.body.count("\n", 0, found) if found >= 0 else None


def _settle_ids(root: Element) -> None:
    """Leave every id once in the page: not one the page around has itself, and none twice."""
    seen: set[str] = set()
    for element in root.iter():
        name = element.get("id")
        if name in PAGE_IDS:
            element.set("id", name := f"text-{name}")
        if name is not None and (name in seen or not re.fullmatch(r"\S+", name)):
            del element.attrib["id"]
        seen.add(name or "")
    for link in root.iter("a"):
        address = link.get("href", "")
        if address.removeprefix("#") in PAGE_IDS and address[0] == "#":
            link.set("href", f"#text-{address[1:]}")


def _settle_links(root: Element, shelf: Shelf, source: str, report: images.Report) -> list[str]:
    linked: dict[str, None] = {}
    for link in root.iter("a"):
        address = link.get("href", "")
        article = shelf.article(address, source)
        if article:
            linked[article[0]] = None
            link.set("href", f"/articles/{article[0]}{article[1]}")
        elif page := shelf.page(address, source):
            link.set("href", page)
        elif address.startswith(("http:", "https:")):
            link.set("rel", "noopener")
        elif shelf.names_a_text(address):
            hint = "mend the address, or add the article it names"
            report(address, f"the link {address} leads nowhere", hint)
        elif not address.startswith(("#", "/")) and (file := shelf.file(address, source)) and file.path:
            link.set("href", file.address)
    return list(linked)


def _mend_tasks(root: Element, language: str) -> None:
    for item in root.iter("li"):
        holder = item[0] if len(item) and item[0].tag == "p" and not (item.text or "").strip() else item
        task = _TASK.match(holder.text or "")
        if task:
            done = task.group(1) != " "
            mark = Element(
                "span", {"class": "task", "role": "img", "aria-label": labels.of_task(language, done)}
            )
            mark.text, mark.tail = "☑" if done else "☐", " " + (holder.text or "")[task.end() :]
            holder.text = None
            holder.insert(0, mark)


def _mend_code(root: Element) -> None:
    for block in root.iter("pre"):
        block.set("tabindex", "0")  # wide code scrolls, and a keyboard must be able to scroll it
        if len(block) and block[0].tag == "span" and not block[0].attrib and not text_of(block[0]):
            remove(block, block[0])  # the highlighter's empty mark


def _mend_tables(root: Element, language: str) -> None:
    tables = [(parent, table) for parent, table in with_parents(root) if table.tag == "table"]
    for number, (parent, table) in enumerate(tables, start=1):
        for cell in table.iter():
            side = cell.attrib.pop("align", None)
            if side in ("left", "center", "right"):
                cell.set("class", f"align-{side}")
        caption = table.find("caption")
        # Two regions of one name would be one and the same to a screen reader.
        unnamed = labels.of_table(language, number if len(tables) > 1 else None)
        label = text_of(caption) if caption is not None else unnamed
        frame = Element("div", {"class": "scroll", "tabindex": "0", "role": "region", "aria-label": label})
        replace(parent, table, frame)
        frame.append(table)
