"""What the tests ask of every page: read with a parser, never with a search for text."""

from dataclasses import dataclass, field
from html.parser import HTMLParser


@dataclass
class Seen:
    """What a page consists of, as far as the house rules care."""

    tags: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    scripts: list[str] = field(default_factory=list)
    text: str = ""

    def all(self, tag: str) -> list[dict[str, str]]:
        return [attributes for name, attributes in self.tags if name == tag]

    def unlabelled(self) -> list[str]:
        """Return the inputs that no label names."""
        named = {label["for"] for label in self.all("label") if "for" in label}
        inputs = [box for box in self.all("input") if box.get("type") not in ("hidden", "radio", "checkbox")]
        return [box.get("name", "?") for box in inputs if box.get("id") not in named]

    def inline(self) -> list[str]:
        """Return every inline style, script and event handler; data blocks are none of these."""
        found = [kind for kind in self.scripts if kind != "application/ld+json"]
        found += ["style" for _ in self.all("style")]
        for tag, attributes in self.tags:
            found += [f"{tag} {name}" for name in attributes if name == "style" or name.startswith("on")]
            found += [
                tag for value in attributes.values() if value.lstrip().lower().startswith("javascript:")
            ]
        return found


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.seen = Seen()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = {name: value or "" for name, value in attrs}
        self.seen.tags.append((tag, attributes))
        if tag == "script":
            self.seen.scripts.append(attributes.get("type", "text/javascript"))

    def handle_data(self, data: str) -> None:
        self.seen.text += data


def read(html: str) -> Seen:
    """Return what a page consists of."""
    reader = _Reader()
    reader.feed(html)
    return reader.seen
