"""Why did X (not) get this? Each reason, and each fate of a delivery, in words that need no code to read."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from blog import clock
from blog.delivery import ledger, suppression
from blog.delivery.models import Delivery, DeliveryState
from blog.delivery.suppression import Reason
from blog.digests import why
from blog.errors import BlogError
from blog.settings import Settings
from blog.subscribers import consent
from blog.subscribers.consent import Event, Method, Origin
from blog.subscribers.models import Subscriber
from blog.web.pieces import Services
from tests.commanding import blog, blog_json, refused
from tests.delivery.test_sender import send
from tests.digests.test_plan import NOW, article, run, subscriber
from tests.relay import Script, relay

DAY = timedelta(days=1)


def ask(services: Services, issue: int | None, email: str = "ada@example.org") -> why.Answer:
    assert issue is not None
    with services.database.reading() as session:
        return why.why(session, services.tokens, email, issue)


def change(services: Services, event: Event, at: object = NOW - DAY, **details: object) -> None:
    """Have Ada's record say that something happened, and her row be as it is afterwards."""
    columns = {
        Event.WITHDRAWN: {"status": "unsubscribed"},
        Event.CHANGED: {"cadence": details.get("cadence"), "topics": ",".join(details.get("topics", []))},  # type: ignore[arg-type]
        Event.PAUSED: {"paused_until": NOW + 9 * DAY},
        Event.REQUESTED: {"status": "pending"},
    }[event]
    with services.database.transaction() as session:
        ada = session.scalars(select(Subscriber).where(Subscriber.email == "ada@example.org")).one()
        consent.record(session, ada.id, event, Method.PAGE, Origin(""), at, details)  # type: ignore[arg-type]
        session.execute(update(Subscriber).where(Subscriber.id == ada.id).values(**columns))


def suppressed(session: Session) -> None:
    hashed = session.scalars(select(Subscriber.address_hash).where(Subscriber.email == "ada@example.org"))
    suppression.suppress(session, hashed.one(), Reason.BOUNCED, NOW - DAY)


def unheard(session: Session) -> None:
    """Have Ada's address on the list although her record does not say why, as after an import."""
    hashed = session.scalars(select(Subscriber.address_hash).where(Subscriber.email == "ada@example.org"))
    suppression.suppress(session, hashed.one(), Reason.UNSUBSCRIBED, NOW - DAY)


def write(services: Services, action: Callable[[Session], object]) -> None:
    with services.database.transaction() as session:
        action(session)


@pytest.mark.parametrize(
    ("before", "verdict"),
    [
        (lambda s: change(s, Event.WITHDRAWN), "No: they had left (since "),
        (lambda s: change(s, Event.REQUESTED), "not pressed the button that confirms it"),
        (
            lambda s: change(s, Event.CHANGED, cadence="daily", topics=[]),
            "No: they hear daily, and this issue",
        ),
        (
            lambda s: change(s, Event.CHANGED, cadence="weekly", topics=["gardening"]),
            "No: none of its articles is about a topic they follow (gardening).",
        ),
        (
            lambda s: change(s, Event.PAUSED, until=(NOW + 9 * DAY).date().isoformat()),
            "No: they had paused until",
        ),
        (lambda s: write(s, suppressed), "No: mail to this address had bounced (since "),
        (lambda s: write(s, unheard), "on the list of those never to be mailed (unsubscribed, "),
    ],
)
def test_each_reason_not_to_be_planned_is_named_as_things_stood_then(
    services: Services, before: Callable[[Services], None], verdict: str
) -> None:
    article(services, "first", NOW - DAY)
    subscriber(services, "ada@example.org")
    subscriber(services, "bob@example.org")
    before(services)
    opened = run(services, NOW)
    assert opened.eligible == 1
    write(
        services,
        lambda session: session.execute(update(Subscriber).values(status="active", cadence="weekly")),
    )
    answer = ask(services, opened.issue)
    assert (answer.outcome, answer.articles, answer.message_id) == ("not planned", (), None)
    assert verdict in answer.verdict


def test_who_had_everything_already_is_told_from_which_issue(services: Services) -> None:
    article(services, "first", NOW - DAY)
    subscriber(services, "ada@example.org")
    first = run(services, NOW)
    subscriber(services, "bob@example.org")
    second = run(services, NOW + timedelta(hours=1))
    assert (first.eligible, second.eligible) == (1, 1)
    assert f"Weekly digest No. 1 (issue {first.issue}) had brought them everything" in ask(
        services, second.issue
    ).verdict  # fmt: skip


def test_who_came_later_and_who_is_unknown(services: Services) -> None:
    article(services, "first", NOW - DAY)
    subscriber(services, "bob@example.org")
    opened = run(services, NOW)
    with services.database.transaction() as session:
        from tests.factories import make_subscriber

        make_subscriber(session, services.tokens, "ada@example.org", now=NOW + DAY)
    assert "after it was planned" in ask(services, opened.issue).verdict
    with pytest.raises(BlogError, match="nobody with the address eve"):
        ask(services, opened.issue, "eve@example.org")
    with pytest.raises(BlogError, match="no issue 77"):
        ask(services, 77)


def open_for_ada(services: Services) -> int:
    article(services, "first", NOW - DAY, title="The first piece")
    subscriber(services, "ada@example.org")
    opened = run(services, NOW)
    assert opened.issue is not None
    return opened.issue


@pytest.mark.parametrize(
    ("fault", "outcome", "verdict", "words"),
    [
        ("", "accepted", "Yes: the relay took it.", "250 2.0.0 queued"),
        ("rcpt 451", "deferred", "Not yet: waiting for the next try at", "451 4.7.1 greylisted"),
        (
            "rcpt 550 5.1.1 who?",
            "bounced",
            "No: the relay said that there is no such mailbox.",
            "550 5.1.1 who?",
        ),
        ("dot 554 5.6.0 bad", "failed", "No: the relay refused it for good.", "554 5.6.0 bad"),
        ("drop after dot, accepted", "uncertain", "Nobody can know: the connection or the worker died", ""),
    ],
)
def test_each_fate_of_a_delivery_is_told_with_the_relays_words(
    services: Services, fault: str, outcome: str, verdict: str, words: str
) -> None:
    issue = open_for_ada(services)
    with relay(Script(fault=lambda _: fault)) as server:
        send_as_it_is(services, server)
    answer = ask(services, issue)
    assert (answer.outcome, answer.articles) == (outcome, ("The first piece",))
    assert answer.verdict.startswith(verdict)
    assert words in [moment for moment in answer.timeline if not moment.of_the_person][-1].words
    assert str(answer.message_id).startswith(f"<{issue}.")


def send_as_it_is(services: Services, server: object) -> None:
    from tests.mailings import TEMPLATE

    with services.database.transaction() as session:
        session.execute(update(ledger.Variant).values(template=TEMPLATE))
    send(services.database, server, connections=1)  # type: ignore[arg-type]


def test_who_left_between_plan_and_hand_over_is_told_so(services: Services) -> None:
    issue = open_for_ada(services)
    with services.database.transaction() as session:
        session.execute(update(Delivery).values(state=DeliveryState.SKIPPED, reason="unsubscribed"))
    assert ask(services, issue).verdict == "No: they had left before it was handed over."


def test_the_command_tells_a_person_and_a_program(services: Services, settings: Settings) -> None:
    issue = str(open_for_ada(services))
    blog(settings, "digest", "pause", issue)
    blog(settings, "digest", "resume", issue)
    told = blog(settings, "why", "ada@example.org", issue)
    assert f"Did ada@example.org get issue {issue}, Weekly digest No. 1?" in told
    assert "Not yet: it waits for its turn." in told
    assert "sending was paused" in told
    assert "It held: “The first piece”." in told
    read = blog_json(settings, "why", "ada@example.org", issue)
    assert (read["email"], read["outcome"], read["issue"]) == ("ada@example.org", "planned", int(issue))
    assert [moment["what"] for moment in read["timeline"]][-2:] == ["sending was paused", "sending went on"]
    assert "not a valid integer" in refused(settings, "why", "ada@example.org", "x")
    assert "incomplete" in refused(settings, "why", "ada", issue)
    assert clock.now() > NOW
