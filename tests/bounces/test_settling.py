"""What follows from a report, on both databases: once, for the right person, and only if it proves itself."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from sqlalchemy import select, update

from blog import clock
from blog.bounces import intake, settling
from blog.bounces.models import ReturnedMail
from blog.bounces.reports import Door, Kind, Naming, Report, Tally
from blog.bounces.settling import Fate
from blog.delivery import balance, outbox, outcomes, recording, suppression
from blog.delivery.models import Delivery, DeliveryState, OutboxMail
from blog.delivery.replies import Asked, Reply
from blog.delivery.states import Claim, Owner, Result
from blog.delivery.suppression import Reason
from blog.delivery.verp import ReturnPath
from blog.digests import why
from blog.subscribers import consent
from blog.subscribers.consent import Event, Method, Origin
from blog.subscribers.models import ConsentEvent, Subscriber
from blog.tokens import Purpose
from blog.web.pieces import Services
from tests.bounces.letters import arf, dsn, original
from tests.digests.test_plan import NOW, article, run, subscriber

DAY = timedelta(days=1)


@pytest.fixture
def issue(services: Services) -> int:
    """An issue that the relay took for Ada and Bob."""
    article(services, "a-first-article", NOW - DAY)
    for name in ("ada", "bob"):
        subscriber(services, f"{name}@example.org")
    number = run(services, NOW).issue
    assert number is not None
    deliver(services, clock.now())
    return number


def deliver(services: Services, at: datetime) -> None:
    """Have the relay take what is planned, at a moment."""
    values = {"state": DeliveryState.ACCEPTED, "reply": "250 2.0.0 queued", "updated_at": at}
    with services.database.transaction() as session:
        session.execute(update(Delivery).where(Delivery.state == DeliveryState.PLANNED).values(**values))


def delivery(services: Services, name: str = "ada") -> Delivery:
    with services.database.reading() as session:
        return session.scalars(
            select(Delivery).where(Delivery.address == f"{name}@example.org").order_by(Delivery.id.desc())
        ).first()  # type: ignore[return-value]


def path(services: Services) -> ReturnPath:
    return ReturnPath(services.tokens, "bounces@example.org")


def bounce(services: Services, now: datetime | None = None, **said: str) -> bytes:
    return dsn(path(services).for_delivery(delivery(services).id), **said)  # type: ignore[arg-type]


def take(services: Services, raw: bytes, now: datetime | None = None) -> Fate | None:
    return intake.take_mail(
        services.database, services.tokens, raw, Door.COMMAND, now or clock.now(), Tally()
    )


def status(services: Services, name: str = "ada") -> str:
    with services.database.reading() as session:
        found = session.scalars(select(Subscriber).where(Subscriber.email == f"{name}@example.org")).one()
        return found.status


def counts(services: Services, issue: int) -> dict[str, int]:
    with services.database.reading() as session:
        found = balance.balance(session, issue)
    assert found is not None
    total = {name: getattr(found, name) for name in found.__dataclass_fields__ if name != "state"}
    assert total["eligible"] == sum(number for name, number in total.items() if name != "eligible")
    return {name: number for name, number in total.items() if number}


def everything(services: Services) -> list[object]:
    with services.database.reading() as session:
        rows: list[object] = []
        for table in (Delivery, Subscriber, ConsentEvent, ReturnedMail, suppression.Suppression):
            rows += [tuple(row) for row in session.execute(select(table.__table__))]
        return rows


def test_a_hard_bounce_ends_the_subscription_and_the_issue_still_balances(
    services: Services, issue: int
) -> None:
    assert take(services, bounce(services)) is Fate.APPLIED
    assert status(services) == "bounced"
    assert status(services, "bob") == "active"
    assert counts(services, issue) == {"eligible": 2, "accepted": 1, "bounced": 1}


def test_the_same_bounce_twice_is_one(services: Services, issue: int) -> None:
    take(services, bounce(services))
    before = everything(services)
    assert take(services, bounce(services)) is Fate.REPEATED
    assert everything(services) == before


def test_a_complaint_ends_the_subscription_and_the_mail_had_arrived(services: Services, issue: int) -> None:
    line = path(services).header(delivery(services).id).decode()
    report = arf("fbl@example.org", line.encode() + original(to="redacted"))
    assert take(services, report) is Fate.APPLIED
    assert take(services, report) is Fate.REPEATED
    assert status(services) == "complained"
    assert counts(services, issue) == {"eligible": 2, "accepted": 2}
    with services.database.reading() as session:
        told = why.why(session, services.tokens, "ada@example.org", issue)
    assert any("reported it as spam" in moment.what for moment in told.timeline)


def test_a_complaint_that_only_a_forwarded_link_proves_does_what_the_link_does(
    services: Services, issue: int
) -> None:
    sent = delivery(services)
    link = services.tokens.capability(Purpose.UNSUBSCRIBE, sent.public_id)
    assert (
        take(services, arf("f@example.org", original(link=link, message_id=sent.message_id))) is Fate.APPLIED
    )
    assert status(services) == "unsubscribed"
    with services.database.reading() as session:
        assert suppression.reason_for(session, sent.address_hash) is Reason.UNSUBSCRIBED
        assert session.scalars(select(OutboxMail)).all() == []  # no receipt to somebody who complains


def test_a_bounce_without_a_return_address_of_its_own_is_known_by_the_mail_it_brings_back(
    services: Services, issue: int
) -> None:
    sent = delivery(services)
    link = services.tokens.capability(Purpose.UNSUBSCRIBE, sent.public_id)
    raw = dsn("news@example.org", returned=original(link=link, message_id=sent.message_id))
    assert take(services, raw) is Fate.APPLIED
    assert status(services) == "bounced"


@pytest.mark.parametrize(
    "forged",
    [
        lambda s, d: dsn("bounces@example.org"),
        lambda s, d: dsn(f"bounces+d{d.id}-abcdefghijklmnop@example.org"),
        lambda s, d: dsn(path(s).for_delivery(d.id).replace(f"+d{d.id}-", f"+d{d.id + 1}-")),
        lambda s, d: dsn(path(s).for_delivery(d.id).replace("+d", "+s")),
        lambda s, d: dsn(path(s).for_delivery(d.id + 1000)),
        lambda s, d: dsn("n@example.org", returned=original(message_id=d.message_id)),
        lambda s, d: dsn("n@example.org", returned=original(message_id=d.message_id, link="A" * 44)),
        lambda s, d: dsn(
            "n@example.org",
            returned=original(
                message_id=d.message_id, link=s.tokens.capability(Purpose.PREFERENCES, d.public_id)
            ),
        ),
        lambda s, d: dsn(
            "n@example.org",
            returned=original(
                message_id=d.message_id, link=s.tokens.capability(Purpose.UNSUBSCRIBE, "0" * 32)
            ),
        ),
        lambda s, d: arf("n@example.org", original(to=d.address, message_id=d.message_id)),
    ],
    ids=range(10),
)
def test_what_is_forged_changes_nothing(
    services: Services, issue: int, forged: Callable[[Services, Delivery], bytes]
) -> None:
    before = everything(services)
    assert take(services, forged(services, delivery(services))) is Fate.UNKNOWN
    assert everything(services) == before


def test_what_is_about_us_costs_nobody_a_subscription(services: Services, issue: int) -> None:
    said = {"status": "5.7.26", "diagnostic": "smtp; 550 5.7.26 unauthenticated"}
    assert take(services, bounce(services, **said)) is Fate.APPLIED  # type: ignore[arg-type]
    assert status(services) == "active"
    assert counts(services, issue) == {"eligible": 2, "accepted": 1, "failed": 1}
    with services.database.reading() as session:
        told = why.why(session, services.tokens, "ada@example.org", issue)
    assert told.verdict.startswith("No: it came back: refused for what it is or where it comes from")


def test_why_tells_that_the_relay_took_it_and_that_it_came_back(services: Services, issue: int) -> None:
    take(services, bounce(services, status="5.1.1", diagnostic="smtp; 550 5.1.1 <ada@example.org> unknown"))
    with services.database.reading() as session:
        told = why.why(session, services.tokens, "ada@example.org", issue)
    assert told.verdict == "No: it came back: there is no such mailbox."
    story = [moment.what for moment in told.timeline]
    assert story.index("the relay took it") < story.index("it came back: there is no such mailbox")
    assert not any("ada@" in moment.words for moment in told.timeline)
    assert any("550 5.1.1" in moment.words for moment in told.timeline)


@pytest.mark.parametrize(
    ("code", "words", "enough"),
    [("4.4.7", "expired", 4), ("5.2.2", "mailbox full", 7), ("5.4.1", "access denied", 2)],
    ids=["soft", "full", "unsure"],
)
def test_soft_bounces_end_a_subscription_on_their_nth_day(
    services: Services, issue: int, code: str, words: str, enough: int
) -> None:
    for day in range(enough):
        assert status(services) == "active", day
        at = clock.now() + day * 3 * DAY
        issue_of(services, day)
        take(services, bounce(services, status=code, diagnostic=f"smtp; 550 {code} {words}"), at)
    assert status(services) == "bounced"


def test_many_bounces_of_one_day_count_as_one(services: Services, issue: int) -> None:
    for number in range(5):
        issue_of(services, number)
        take(services, bounce(services, status="5.4.1", diagnostic="smtp; 550 5.4.1 denied"))
    assert status(services) == "active"


def test_mail_that_arrives_in_between_starts_the_count_anew(services: Services, issue: int) -> None:
    said = {"status": "5.4.1", "diagnostic": "smtp; 550 5.4.1 denied"}
    take(services, bounce(services, **said))  # type: ignore[arg-type]
    issue_of(services, 1, at=clock.now() + 3 * DAY)
    issue_of(services, 2, at=clock.now() + 9 * DAY)
    take(services, bounce(services, **said), clock.now() + 9 * DAY)  # type: ignore[arg-type]
    assert status(services) == "active"


def issue_of(services: Services, number: int, at: datetime | None = None) -> None:
    """Have another issue reach Ada's relay, at a moment."""
    live = NOW + (number + 1) * DAY
    article(services, f"another-{number}", live)
    assert run(services, live).issue
    deliver(services, at or clock.now())


def test_who_has_confirmed_since_is_not_taken_off_by_an_older_bounce(services: Services, issue: int) -> None:
    with services.database.transaction() as session:
        session.execute(update(Subscriber).values(confirmed_at=clock.now() + DAY))
    assert take(services, bounce(services)) is Fate.APPLIED
    assert status(services) == "active"
    assert counts(services, issue)["bounced"] == 1


def test_a_bounce_that_overtakes_the_relays_own_answer_is_taken_later(services: Services, issue: int) -> None:
    number = delivery(services).id
    hand(services, number, DeliveryState.HANDING_OVER)
    before = everything(services)
    assert take(services, bounce(services)) is Fate.LATER
    assert everything(services) == before
    hand(services, number, DeliveryState.ACCEPTED)
    assert take(services, bounce(services)) is Fate.APPLIED


def test_a_bounce_settles_what_was_uncertain(services: Services, issue: int) -> None:
    hand(services, delivery(services).id, DeliveryState.UNCERTAIN)
    assert counts(services, issue)["uncertain"] == 1
    take(services, bounce(services))
    assert counts(services, issue) == {"eligible": 2, "accepted": 1, "bounced": 1}


def hand(services: Services, number: int, state: DeliveryState) -> None:
    with services.database.transaction() as session:
        session.execute(update(Delivery).where(Delivery.id == number).values(state=state))


def single(services: Services, kind: str = "confirm") -> OutboxMail:
    with services.database.transaction() as session:
        ada = session.scalars(select(Subscriber).where(Subscriber.email == "ada@example.org")).one()
        outbox.add(session, kind, ada.id, f"{kind}-1", "news.example.org", clock.now())
        return session.scalars(select(OutboxMail)).one()


def test_a_confirmation_that_bounces_stops_mail_to_that_address(services: Services, issue: int) -> None:
    mail = single(services)
    raw = dsn(path(services).for_single(mail.id, "ada@example.org"))
    assert take(services, raw) is Fate.APPLIED
    with services.database.reading() as session:
        assert suppression.reason_for(session, delivery(services).address_hash) is Reason.BOUNCED
        assert (session.get(OutboxMail, mail.id) or mail).reply == "came back: 550 5.1.1 no such mailbox"


def test_a_mail_to_an_address_that_somebody_has_left_says_nothing_of_the_new_one(
    services: Services, issue: int
) -> None:
    mail = single(services)
    before = everything(services)
    assert take(services, dsn(path(services).for_single(mail.id, "old@example.org"))) is Fate.UNKNOWN
    assert everything(services) == before


def test_a_message_id_or_an_address_alone_is_believed_only_where_the_sender_is_known(
    services: Services, issue: int
) -> None:
    for number, naming in enumerate(
        [Naming(message_ids=(delivery(services).message_id,)), Naming(address="Bob@Example.org")]
    ):
        for believed, fate in ((False, Fate.UNKNOWN), (True, Fate.APPLIED)):
            report = Report(Kind.HARD, naming, "5.1.1", "no such mailbox")
            with services.database.transaction() as session:
                tokens, now = services.tokens, clock.now()
                assert settling.settle(session, tokens, report, Door.SES, now, believed) is fate, number
    assert counts(services, issue) == {"eligible": 2, "bounced": 2}


def test_nothing_is_kept_of_the_words_about_somebody_who_was_erased(services: Services, issue: int) -> None:
    raw = bounce(services)
    with services.database.transaction() as session:
        session.execute(update(Delivery).values(address="", reply=None))
    assert take(services, raw) is Fate.APPLIED
    with services.database.reading() as session:
        assert session.scalars(select(Delivery.reply).where(Delivery.state == "bounced")).all() == [""]


def test_the_record_says_when_somebody_was_taken_off(services: Services, issue: int) -> None:
    with services.database.transaction() as session:
        ada = session.scalars(select(Subscriber).where(Subscriber.email == "ada@example.org")).one()
        consent.record(session, ada.id, Event.CONFIRMED, Method.PAGE, Origin(""), NOW - DAY)
    take(services, bounce(services))
    with services.database.reading() as session:
        events = [each.event for each in session.scalars(select(ConsentEvent).order_by(ConsentEvent.id))]
    assert events[-1] == Event.BOUNCED


def test_a_mailbox_that_refused_for_days_at_the_relay_counts_like_one_whose_mail_came_back(
    services: Services, issue: int
) -> None:
    owner = Owner("h/0", "h/0/run")
    for day in range(4):
        number = issue if day == 0 else another(services, day)
        with services.database.transaction() as session:
            mine = (Delivery.mailing_id == number, Delivery.address == "ada@example.org")
            values = {"state": DeliveryState.CLAIMED, "owner": owner.token, "attempts": 12}
            session.execute(update(Delivery).where(*mine).values(**values))
            row = session.scalars(select(Delivery).where(*mine)).one()
            claim = Claim(row.id, number, 0, 0, "", row.address, "", row.attempts, 0, row.next_at)
        asked = Asked(Reply(250, ""), Reply(451, "4.2.0 mailbox busy"), Reply(503, ""))
        result = outcomes.of_envelope(claim, asked, NOW + day * DAY)
        assert isinstance(result, Result)
        for _ in range(2):  # the answer to our own COMMIT may get lost: it is recorded once more
            with services.database.transaction() as session:
                recording.record(session, owner, [result], [], NOW + day * DAY)
        with services.database.reading() as session:
            assert session.query(ReturnedMail).filter_by(door=Door.RELAY, kind=Kind.SOFT).count() == day + 1
            reason = suppression.reason_for(session, claimed_hash(services))
        assert reason == (Reason.BOUNCED if day == 3 else None)
    assert delivery(services).reason == "expired"


def claimed_hash(services: Services) -> str:
    return delivery(services).address_hash


def another(services: Services, day: int) -> int:
    """One more issue for the same readers."""
    at = NOW + day * DAY
    article(services, f"article-{day}", at - timedelta(hours=1))
    number = run(services, at).issue
    assert number is not None
    return number
