"""One mail of each kind, as it would leave: for the eye, and for tools from outside."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import time_machine

from blog.articles.models import Article, ArticleTopic
from blog.content.site import cached_site
from blog.content.values import Site
from blog.db import Database
from blog.delivery import mime
from blog.delivery.email import Email
from blog.delivery.models import OutboxMail
from blog.digests import compose, editorial
from blog.digests.compose import Press
from blog.digests.plan import Edition
from blog.links import Links
from blog.settings import ROOT
from blog.subscribers.emails import Letterhead, render
from blog.subscribers.models import AddressChange, Cadence, Mail
from blog.subscribers.welcome import Teaser
from blog.templating import mail_environment
from blog.tokens import Purpose, Tokens
from tests.factories import make_subscriber

BASE = "https://news.example.org"
LINKS = Links(BASE)
NOW = datetime(2026, 11, 20, 9, tzinfo=UTC)
TOKENS = Tokens((b"k" * 32,))
SENDER = "Signal & System <news@example.org>"
POSTAL = "Example Ltd, 1 High Street, Exampletown"
READER = "ab" * 16
NOTE = """Three of these began as letters from readers. The [archive](/archive) has the rest.

- Read **the first one** first.
- Skip what you know.
"""
STORIES = [
    ("Twenty Good Answers Prove Very Little", "artificial-intelligence",
     "How many cases you need before shipping a language-model feature, and when to stop testing."),
    ("Restore the Backup on a Tuesday", "reliability",
     "A backup is a claim about the future and a restore is the evidence. How to run the drill."),
    ("A Threat Model With an Expiry Date", "security",
     "Threat models rot. Write down what would make this one untrue, and put a date on it."),
    ("Back-Pressure Is Good Manners", "systems",
     "A queue that accepts everything is making promises for somebody else to keep."),
    ("The Shortest Answer to Where My Data Is", "privacy",
     "Where personal data goes, how long it stays, and how to keep the answer short."),
    ("Refuse Work While It Is Cheap", "reliability",
     "Saying no early costs a line of code. Saying no late costs an evening."),
    ("A Boundary Is a Promise", "security",
     "What crosses it, who checks that, and what happens when nobody does."),
]  # fmt: skip
ARABIC = [
    ("الضغط العكسي من حسن الأدب", "systems", "طابور يقبل كل شيء يقطع وعودًا على غيره أن يفي بها."),
    ("استعد النسخة الاحتياطية يوم الثلاثاء", "reliability", "النسخة الاحتياطية ادعاء، واستعادتها هي الدليل."),
    ("نموذج تهديد له تاريخ انتهاء", "security", "اكتب ما الذي يجعله غير صحيح، وضع له تاريخًا."),
]


@dataclass(frozen=True)
class Golden:
    """A mail with a name."""

    name: str
    email: Email

    @property
    def raw(self) -> bytes:
        """Return its bytes."""
        return mime.serialise(self.email, NOW)


def every_mail(database: Database) -> list[Golden]:
    """Return all kinds of mail; the database is an empty one."""
    site = cached_site(ROOT / "content")
    return [*issues(site), *singles(database, site)]


def issues(site: Site) -> list[Golden]:
    """Return what goes to the list: a short issue, a long one, one in Arabic, a correction."""
    plain = press(site)
    noted = replace(plain, editorial=editorial.words(NOTE, f"{BASE}/"), number=42)
    arabic = press(replace(site, language="ar", name="إشارة ونظام"), number=3)
    return [
        Golden("mail-digest", issue(noted, edition(STORIES[:4]))),
        Golden("mail-digest-long", issue(plain, edition(STORIES * 3, more=12))),
        Golden("mail-digest-of-one", issue(press(site, Cadence.INSTANT), edition(STORIES[:1]))),
        Golden("mail-digest-arabic", issue(arabic, edition(ARABIC, "ar"))),
        Golden(
            "mail-erratum",
            addressed(compose.erratum(plain, editorial.words("It was *June*.", BASE), 7).email),
        ),
    ]


def press(site: Site, cadence: Cadence = Cadence.WEEKLY, number: int = 7) -> Press:
    """Return what an issue's editions share."""
    return Press(site, LINKS, SENDER, POSTAL, mail_environment(), cadence, number, NOW)


def edition(stories: list[tuple[str, str, str]], language: str = "en", more: int = 0) -> Edition:
    """Return an edition of these stories."""
    articles = [
        Article(
            id=number, slug=f"story-{number}", title=title, description=summary, excerpt="",
            minutes=4 + number % 5, published_at=NOW, live_at=NOW, extra={}, language=language,
            authors=["mara-lindqvist"],
            topics=[ArticleTopic(topic=topic, position=0)],
        )
        for number, (title, topic, summary) in enumerate(stories[:20])
    ]  # fmt: skip
    return Edition(tuple(articles), more, ())


def issue(made: Press, what: Edition) -> Email:
    """Return an issue as one reader gets it."""
    tokens = {
        compose.UNSUBSCRIBE: TOKENS.capability(Purpose.UNSUBSCRIBE, READER),
        compose.PREFERENCES: TOKENS.capability(Purpose.PREFERENCES, READER),
    }
    return compose.email_for(made, what, "jane.doe@example.net", "<7.abc@example.org>", tokens)


def addressed(email: Email) -> Email:
    """Return a mail that is still to be addressed as one reader gets it."""
    return replace(email, to="jane.doe@example.net", message_id="<8.abc@example.org>")


def singles(database: Database, site: Site) -> list[Golden]:
    """Return the mails that answer something a person did, and the welcome; a few in other languages."""
    found = [Golden(f"mail-{kind.replace('_', '-')}", single(database, site, kind)) for kind in Mail]
    for tag, name in (("ar", "arabic"), ("de", "german")):
        found.append(
            Golden(f"mail-confirm-{name}", single(database, replace(site, language=tag), Mail.CONFIRM))
        )
    return found


def single(database: Database, site: Site, kind: Mail) -> Email:
    """Return a single mail of a kind, from rows that ask for it."""
    status = {Mail.CONFIRM: "pending", Mail.REMINDER: "pending", Mail.LEFT: "unsubscribed"}.get(
        kind, "active"
    )
    teasers = [
        Teaser(title, f"{BASE}/articles/story-{number}", summary, "en")
        for number, (title, _, summary) in enumerate(STORIES[:3])
    ]
    head = Letterhead(site, LINKS, TOKENS, SENDER, POSTAL, Path(ROOT / "content"), lambda _session: teasers)
    # A link that is good for some time names the moment.
    with time_machine.travel(NOW, tick=False), database.transaction() as session:
        person = make_subscriber(session, TOKENS, f"jane.{kind}.{site.language}@example.net", status, now=NOW)
        person.public_id, person.nonce, person.account_nonce, person.confirmed_at = (
            f"{kind}{site.language}".encode().hex().ljust(32, "0")[:32], "a" * 32, "b" * 32, NOW,
        )  # fmt: skip
        change = AddressChange(
            subscriber_id=person.id, nonce="b" * 32, old_address="jane.old@example.net",
            email="jane.new@example.net", address="jane.new@example.net", address_key="jane.new@example.net",
            address_hash="c" * 64, created_at=NOW,
        )  # fmt: skip
        session.add(change)
        session.flush()
        subject = change.id if kind in (Mail.MOVE, Mail.MOVED) else person.id
        email = render(
            session, OutboxMail(kind=kind, subject_id=subject, message_id="<9.abc@example.org>"), head
        )
    assert email
    return email
