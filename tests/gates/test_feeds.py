"""Every feed that the site offers is read by a feed reader without a complaint."""

import json
import re

import feedparser
import pytest

from tests.gates.tools import none_of
from tests.journeys.installation import fetch

pytestmark = pytest.mark.gates


def atom_complaints(source: str) -> list[str]:
    """Return what a reader of Atom finds wrong."""
    parsed = feedparser.parse(source)
    if parsed.bozo:
        return [str(parsed.bozo_exception)]
    if parsed.version != "atom10" or not parsed.entries:
        return [f"version {parsed.version!r} with {len(parsed.entries)} entries"]
    whole = ("id", "title", "link", "updated_parsed", "published_parsed", "content")
    return [
        f"{entry.get('id')}: no {name}" for entry in parsed.entries for name in whole if not entry.get(name)
    ]


def json_complaints(source: str) -> list[str]:
    """Return what a reader of JSON Feed 1.1 misses."""
    feed = json.loads(source)
    if feed.get("version") != "https://jsonfeed.org/version/1.1" or not feed.get("items"):
        return [f"version {feed.get('version')} with {len(feed.get('items', []))} items"]
    whole = ("id", "url", "title", "content_html", "date_published")
    return [f"{item.get('id')}: no {name}" for item in feed["items"] for name in whole if not item.get(name)]


def test_every_feed_is_read_without_a_complaint(served: str) -> None:
    offered = sorted(set(re.findall(r'href="(/[^"]*feed\.(?:xml|json))"', fetch(f"{served}/feeds").body)))
    assert len(offered) >= 20
    said = []
    for address in offered:
        judge = json_complaints if address.endswith(".json") else atom_complaints
        said += [f"{address}: {line}" for line in judge(fetch(served + address).body)]
    none_of(said)


def test_faults_in_a_feed_are_found(served: str) -> None:
    atom, items = fetch(f"{served}/feed.xml").body, fetch(f"{served}/feed.json").body
    assert "mismatched tag" in atom_complaints(atom.replace("</title>", "", 1))[0]
    assert "no id" in atom_complaints(re.sub(r"<id>[^<]*</id>", "", atom))[0]
    assert "no url" in json_complaints(items.replace('"url"', '"link"'))[0]
