"""An issue in several languages: one issue, its readers each in their own, corrections included."""

import email
import email.policy
from datetime import timedelta

from sqlalchemy import select, update

from blog.content.values import Site
from blog.delivery.models import Delivery, DeliveryState, Variant
from blog.digests import correction, dispatch, preview, rehearsal
from blog.digests.dispatch import Office
from blog.digests.models import Issue
from blog.subscribers.models import Cadence, Subscriber
from blog.web.pieces import Services
from tests.digests.test_plan import DAY, NOW, article, subscriber

TAGS = ("en", "de", "ar")
TITLES = {"en": "Weekly digest No. 1", "de": "Wochenausgabe Nr. 1", "ar": "النشرة الأسبوعية رقم 1"}


def office(services: Services, tags: tuple[str, ...] = TAGS) -> Office:
    site = Site(name="Signal & System", languages=tags)
    return Office(services.database, services.settings, services.links, site)


def readers(services: Services) -> None:
    """Two readers of each language and one of a language that is not on offer any more."""
    article(services, "a-piece", NOW - DAY)
    article(services, "un-texte", NOW - DAY, language="fr")
    for tag in (*TAGS, *TAGS, "nl"):
        number = subscriber(services, f"{tag}{NOW.microsecond}-{len(known(services))}@example.org")
        with services.database.transaction() as session:
            session.execute(update(Subscriber).where(Subscriber.id == number).values(language=tag))


def known(services: Services) -> list[str]:
    with services.database.reading() as session:
        return list(session.scalars(select(Subscriber.address)))


def mails(services: Services, mailing: int) -> dict[str, tuple[str, str, str]]:
    """Return subject, text and HTML for each language of the readers."""
    with services.database.reading() as session:
        rows = session.execute(
            select(Subscriber.language, Variant.template)
            .join(Delivery, Delivery.recipient_id == Subscriber.id)
            .join(Variant, Variant.id == Delivery.variant_id)
            .where(Delivery.mailing_id == mailing)
        ).all()
    found = {}
    for tag, template in rows:
        message = email.message_from_bytes(template, policy=email.policy.compat32)
        text, html = (part.get_payload(decode=True).decode() for part in message.get_payload())  # type: ignore[union-attr]
        found[tag] = (str(message["Subject"]), text, html)
    return found


def test_each_reader_gets_the_same_articles_in_their_own_language(services: Services) -> None:
    readers(services)
    opened = dispatch.run(office(services), Cadence.WEEKLY, NOW)
    assert opened.issue is not None
    assert (opened.eligible, opened.variants) == (7, 3)
    said = mails(services, opened.issue)
    assert said["nl"] == said["en"]
    for tag, title in TITLES.items():
        _, text, html = said[tag]
        assert title in text
        way = "rtl" if tag == "ar" else "ltr"
        assert f'lang="{tag}" dir="{way}"' in html
        assert ' lang="fr" dir="ltr"' in html, "an article keeps its own"
    with services.database.reading() as session:
        issue = session.get(Issue, opened.issue)
        assert issue is not None
        assert (issue.title, issue.language) == (TITLES["en"], "en"), "the page of the issue is the site's"
    assert dispatch.run(office(services), Cadence.WEEKLY, NOW) == dispatch.NOTHING


def test_without_a_choice_everybody_shares_one_variant(services: Services) -> None:
    readers(services)
    opened = dispatch.run(office(services, ()), Cadence.WEEKLY, NOW)
    assert (opened.eligible, opened.variants) == (7, 1)


def test_preview_and_rehearsal_show_each_reader_what_they_will_get(services: Services) -> None:
    readers(services)
    arabic = next(address for address in known(services) if address.startswith("ar"))
    seen = preview.of_cadence(office(services), Cadence.WEEKLY, arabic, NOW, arabic)
    assert TITLES["ar"] in seen.text
    alone = preview.of_cadence(office(services, ()), Cadence.WEEKLY, arabic, NOW, arabic)
    assert TITLES["en"] in alone.text
    found = rehearsal.rehearse(office(services), Cadence.WEEKLY, NOW)
    assert (found.eligible, found.variants, found.problems) == (7, 3, ())
    samples = [{address[:2] for address in sketch.samples} for sketch in found.sketches]
    assert sorted(map(sorted, samples)) == [["ar"], ["de"], ["en", "nl"]]


def test_a_correction_speaks_to_each_as_the_issue_did(services: Services) -> None:
    readers(services)
    opened = dispatch.run(office(services), Cadence.WEEKLY, NOW)
    assert opened.issue is not None
    with services.database.transaction() as session:
        session.execute(update(Delivery).values(state=DeliveryState.ACCEPTED))
    correction.correct(office(services), opened.issue, "It was *June*.", NOW + timedelta(hours=1))
    erratum = correction.begin_erratum(office(services), opened.issue, NOW + timedelta(hours=1))
    with services.database.transaction() as session:
        more = True
        while more:
            more = correction.plan_erratum(session, opened.issue, erratum, "example.org", NOW)
    said = mails(services, erratum)
    assert "Correction to Weekly digest No. 1" in said["nl"][1]
    assert "Correction to Weekly digest No. 1" in said["en"][1]
    assert "Berichtigung: Wochenausgabe Nr. 1" in said["de"][1]
    assert "تصحيح: النشرة الأسبوعية رقم 1" in said["ar"][1]
