"""The pages that people land on pass the gates in German and, from right to left, in Arabic."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from playwright.sync_api import Browser

from blog.digests import dispatch
from blog.digests.dispatch import Office
from blog.subscribers.models import Cadence
from blog.web.pieces import Services
from tests.browser.gallery import Picture
from tests.browser.gallery.reading import FRIDAY
from tests.factories import make_subscriber
from tests.gates import test_accessibility, test_markup, test_zoom
from tests.gates.tools import none_of
from tests.gates.visits import Visit, tab, visit
from tests.serving import published, serving

pytestmark = pytest.mark.gates

PHONE = {"on a phone of 320 pixels": (320, "")}
NAMES = ("home", "article", "subscribe", "digest")
#: A word that fits on no phone, code, a table, a quotation and a list: what runs wide where anything does.
SITES = {
    "de": (
        'name = "Signal & System"\ntagline = "Notizen über Systeme, die halten."\n'
        'description = "Einsichten in Systeme, Sicherheit und das, was dazwischen liegt."\n'
        '[signup]\ntitle = "Auf dem Laufenden bleiben"\npitch = "Einmal in der Woche das Neue, mehr nicht."\n'
        'promise = "Abmelden geht jederzeit."\n[[navigation]]\nlabel = "Artikel"\nurl = "/"\n'
        '[[navigation]]\nlabel = "Archiv"\nurl = "/archive"\n',
        "Die Warteschlange am Donaudampfschifffahrtsgesellschaftskapitänspatentamt {}",
        "Wer wartet, möchte wissen, wie lange noch. Eine Schlange ohne Grenze gibt darauf keine Antwort.",
        "Eine Grenze ist ein Versprechen: Wer hineinkommt, kommt auch wieder heraus, und zwar rechtzeitig.",
        "Systeme",
    ),
    "ar": (
        'name = "إشارة ونظام"\ntagline = "ملاحظات عن أنظمة تفي بوعودها."\n'
        'description = "نظرات في الأنظمة والأمن وما بينهما."\n'
        '[signup]\ntitle = "ابقَ على اطلاع"\npitch = "رسالة واحدة في الأسبوع بما هو جديد."\n'
        'promise = "يمكنك إلغاء الاشتراك في أي وقت."\n[[navigation]]\nlabel = "المقالات"\nurl = "/"\n'
        '[[navigation]]\nlabel = "الأرشيف"\nurl = "/archive"\n',
        "عن الطوابير التي لا حدود لها، الجزء {}",
        "من ينتظر يريد أن يعرف كم بقي له من الوقت، والطابور الذي لا حد له لا يجيب عن هذا السؤال أبدا.",
        "الحد وعد: من دخل سيخرج، وفي الوقت المناسب. هكذا تبقى الأنظمة مفهومة لمن يعمل عليها كل يوم.",
        "أنظمة",
    ),
}
BODY = """{first}

## {title}

> {second}

- {first}
- {second}

| {topic} | {topic} |
| --- | --- |
| {first} | `queue.put_nowait(something_with_a_long_name)` |

## {topic}

```python
def put(queue: Queue, item: Item) -> None:  # a line that is wider than any phone, and has to scroll in itself
    queue.put(item, timeout=1.0)
```

{second}[^1]

[^1]: {first}
"""


def write(folder: Path, tag: str) -> None:
    """Write a publication of a few articles in a language."""
    site, heading, first, second, topic = SITES[tag]
    (folder / "articles").mkdir(parents=True)
    (folder / "site.toml").write_text(
        f'language = "{tag}"\ntimezone = "Europe/Berlin"\n{site}', encoding="utf-8"
    )
    for number in range(1, 5):
        title = heading.format(number)
        head = (
            f'---\ntitle: "{title}"\nslug: piece-{number}\ndate: 2026-11-{number + 10}\ntags: ["{topic}"]\n'
        )
        body = BODY.format(title=title, first=first, second=second, topic=topic)
        text = f'{head}description: "{second}"\n---\n\n{body}'
        (folder / "articles" / f"piece-{number}.md").write_text(text, encoding="utf-8")


@pytest.fixture(scope="module", params=list(SITES))
def pages(
    request: pytest.FixtureRequest,
    browser: Browser,
    migrated_sqlite: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[list[Visit]]:
    """What the pages answer on a site in one language, as long as that runs."""
    folder = tmp_path_factory.mktemp(request.param)
    write(folder / "content", request.param)
    shutil.copy(migrated_sqlite, folder / "blog.db")
    with published(folder, folder / "blog.db", folder / "content") as app:
        issue = sent(app)
        addresses = ("/", "/articles/piece-2", "/subscribe", f"/digests/{issue}")
        with serving(app) as site, tab(browser, java_script_enabled=False) as page:
            found = [
                visit(page, site, Picture(f"{request.param}-{name}", address))
                for name, address in zip(NAMES, addresses, strict=True)
            ]
            assert {made.status for made in found} == {200}
            assert all(f'<html lang="{request.param}"' in made.source for made in found)
            yield found


def sent(app: Flask) -> int | None:
    """Open an issue of everything for one reader; return its number."""
    services: Services = app.extensions["blog"]
    with services.database.transaction() as session:
        make_subscriber(session, services.tokens, "ada@example.org", "active")
    office = Office(services.database, services.settings, services.links, services.site())
    return dispatch.run(office, Cadence.WEEKLY, FRIDAY).issue


def test_the_markup_is_faultless(java: str, node: str, tmp_path: Path, pages: list[Visit]) -> None:
    none_of(test_markup.complaints(java, tmp_path, pages))


def test_no_page_breaks_a_rule(browser: Browser, node: str, pages: list[Visit]) -> None:
    with tab(browser, bypass_csp=True, reduced_motion="reduce") as page:
        none_of([rule for made in pages for rule in test_accessibility.violations(page, made)])


def test_nothing_runs_wide_on_the_smallest_phone(browser: Browser, pages: list[Visit]) -> None:
    with tab(browser, bypass_csp=True) as page:
        none_of([said for made in pages for said in test_zoom.complaints(page, made, PHONE)])
