"""The check knows the addresses the site has, whatever the files say."""

from pathlib import Path

from blog import clock, create_app
from blog.content.checks.report import check
from blog.db import Database
from blog.settings import Settings
from tests.content.folders import write

#: Not for links in a text: what a mail holds, and what only the pages' own HTML refers to.
PRIVATE = (
    "/confirm/",
    "/drafts/",
    "/unsubscribe/",
    "/preferences/",
    "/static/",
    "/sketches/",
    "/media/",
    "/dev",
    "/cards/",
    "/metrics",
)


def test_every_route_for_readers_can_be_linked_to(
    settings: Settings, database: Database, tmp_path: Path
) -> None:
    app = create_app(settings)
    rules = [rule.rule for rule in app.url_map.iter_rules() if "GET" in (rule.methods or ())]
    app.extensions["blog"].database.dispose()
    values = {"<int:issue_id>": "3", "<int:number>": "2", "<cadence>": "weekly"}
    names = {"/topics/": "systems", "/articles/": "a", "/authors/": "ada", "/series/": "queues"}
    links = []
    for rule in (rule for rule in rules if not rule.startswith(PRIVATE)):
        for mark, value in values.items():
            rule = rule.replace(mark, value)
        slug = next((name for start, name in names.items() if rule.startswith(start)), "about")
        links.append(rule.replace("<slug>", slug))
    write(tmp_path, "pages/about.md", "# About\n\nUs.")
    header = "---\ntitle: T\ndate: 2026-01-05\ntopics: systems\nauthor: Ada\nseries: Queues\n---\n"
    write(tmp_path, "articles/a.md", header + "\n\n".join(f"[x]({link})" for link in links))
    assert "/archive" in links
    dead = [problem.message for problem in check(tmp_path, clock.now()).problems]
    assert dead == [], "add the new route to blog/content/checks/atlas.py"


def test_a_link_to_a_file_that_readers_cannot_have_is_named(tmp_path: Path) -> None:
    header = "---\ntitle: A\ndate: 2026-01-05\n---\n"
    write(tmp_path, "articles/a/index.md", header + "[one](x.pdf) and [two](x.exe)\n")
    write(tmp_path, "articles/a/x.pdf", "x")
    write(tmp_path, "articles/a/x.exe", "x")
    (problem,) = check(tmp_path, clock.now()).problems
    assert problem.message.endswith("names a file that readers cannot have")
    assert problem.line == 5
