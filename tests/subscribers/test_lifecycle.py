"""The life of a subscription: the table, and the whole room against a model of it, replays included."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from blog.content.values import Site
from blog.db import Database
from blog.delivery import suppression
from blog.delivery.addresses import parse
from blog.delivery.models import OutboxMail, Suppression
from blog.delivery.suppression import Reason
from blog.subscribers import (
    confirmation,
    importing,
    lifecycle,
    preferences,
    privacy,
    signup,
    unsubscribe,
)
from blog.subscribers.audience import audience
from blog.subscribers.choices import Choices
from blog.subscribers.consent import Event, Method, Origin
from blog.subscribers.lifecycle import BEGINNINGS, TRANSITIONS, Act, State
from blog.subscribers.models import Cadence, ConsentEvent, Status, Subscriber
from blog.subscribers.preferences import Wishes
from blog.subscribers.signup import Source
from blog.tokens import Tokens
from tests.factories import make_subscriber
from tests.subscribers.rows import event_names, subscriber

NOW = datetime(2025, 5, 30, 9, 0, tzinfo=UTC)
ORIGIN = Origin("203.0.113.0/24")
ACT = Act(Method.PAGE, ORIGIN, NOW)
ADDRESS = "jane@example.com"
DOMAIN = "example.org"
WEEKLY = Choices(Cadence.WEEKLY, (), "UTC", "en")


def test_the_table_names_every_event_and_leads_nowhere_from_erased() -> None:
    assert set(TRANSITIONS) == set(Event)
    assert set(BEGINNINGS) <= set(Event)
    assert all(State.ERASED not in table for table in TRANSITIONS.values())
    mailed = {State.ACTIVE, State.PAUSED}
    into = {
        event
        for event, table in TRANSITIONS.items()
        for source, target in table.items()
        if target in mailed and source not in mailed
    }
    assert into == {Event.CONFIRMED, Event.IMPORTED, Event.RESTORED}


@pytest.mark.parametrize("state", [state for state in State if state is not State.PAUSED])
@pytest.mark.parametrize("event", list(Event))
def test_a_move_obeys_the_table_and_is_recorded_or_leaves_no_trace(
    database: Database, tokens: Tokens, event: Event, state: State
) -> None:
    with database.transaction() as session:
        row = make_subscriber(session, tokens, ADDRESS, status=state)
    until = {"paused_until": NOW + timedelta(days=9)} if event is Event.PAUSED else {}
    with database.transaction() as session:
        moved = lifecycle.move(session, Subscriber.id == row.id, event, ACT, values=until)
    target = TRANSITIONS[event].get(state)
    assert (moved is not None) == (target is not None)
    assert lifecycle.state_of(subscriber(database), None, NOW) is (target or state)
    assert event_names(database) == ([event.value] if target else [])


def test_a_pause_ends_by_itself_and_when_somebody_leaves(database: Database, tokens: Tokens) -> None:
    until = NOW + timedelta(days=9)
    with database.transaction() as session:
        row = make_subscriber(session, tokens, ADDRESS)
        lifecycle.move(session, Subscriber.id == row.id, Event.PAUSED, ACT, values={"paused_until": until})
    paused = subscriber(database)
    assert lifecycle.state_of(paused, None, until - timedelta(seconds=1)) is State.PAUSED
    assert lifecycle.state_of(paused, None, until) is State.ACTIVE
    with database.transaction() as session:
        lifecycle.move(session, Subscriber.id == row.id, Event.CHANGED, ACT)
        assert lifecycle.state_of(row, None, NOW) is State.PAUSED
        lifecycle.move(session, Subscriber.id == row.id, Event.WITHDRAWN, ACT)
    assert subscriber(database).paused_until is None


def verdicts(session: Session, tokens: Tokens) -> list[tuple[str, Reason]]:
    """Make people in three states, and return what a relay says of the address of each."""
    bounced = make_subscriber(session, tokens, ADDRESS)
    waiting = make_subscriber(session, tokens, "new@example.com", status="pending")
    complained = make_subscriber(session, tokens, "left@example.com", status="unsubscribed")
    return [
        (bounced.address_hash, Reason.BOUNCED),
        (waiting.address_hash, Reason.BOUNCED),
        (complained.address_hash, Reason.COMPLAINED),
    ]


def people_are(database: Database) -> list[str]:
    with database.reading() as session:
        return list(session.scalars(select(Subscriber.status).order_by(Subscriber.id)))


def test_what_the_relay_has_said_is_in_the_persons_record_in_the_same_transaction(
    database: Database, tokens: Tokens
) -> None:
    with database.transaction() as session:
        for address_hash, reason in verdicts(session, tokens):
            suppression.suppress(session, address_hash, reason, NOW)
    assert people_are(database) == ["bounced", "pending", "complained"]
    assert sorted(event_names(database)) == ["bounced", "complained"]
    with pytest.raises(RuntimeError), database.transaction() as session:
        late = make_subscriber(session, tokens, "late@example.com")
        suppression.suppress(session, late.address_hash, Reason.BOUNCED, NOW)
        raise RuntimeError("the power fails")
    assert sorted(event_names(database)) == ["bounced", "complained"]


def test_what_was_suppressed_by_other_hands_is_written_down_later(database: Database, tokens: Tokens) -> None:
    with database.transaction() as session:
        for address_hash, reason in verdicts(session, tokens):
            session.add(Suppression(address_hash=address_hash, reason=reason, created_at=NOW))
    with database.transaction() as session:
        assert lifecycle.follow(session, NOW) == 2
    with database.transaction() as session:
        assert lifecycle.follow(session, NOW) == 0
    assert people_are(database) == ["bounced", "pending", "complained"]
    assert sorted(event_names(database)) == ["bounced", "complained"]


class Life(RuleBasedStateMachine):
    """One person and everything that can happen to their subscription, in any order."""

    database: Database
    tokens: Tokens
    site: Site

    def __init__(self) -> None:
        super().__init__()
        self.now = NOW
        self.model: State | None = None
        self.suppressed: Reason | None = None
        self.links: list[str] = []
        self.undo: list[str] = []
        self.paused_until: datetime | None = None
        with self.database.transaction() as session:
            for table in (ConsentEvent, OutboxMail, Suppression, Subscriber):
                session.execute(delete(table))

    def act(self, method: Method = Method.PAGE) -> Act:
        return Act(method, ORIGIN, self.now)

    def row(self, session: Session) -> Subscriber | None:
        return session.scalar(select(Subscriber))

    def expect(self, event: Event) -> State | None:
        """Return where the table leads from where the person stands, with the suppression in mind."""
        if self.model is None:
            return BEGINNINGS.get(event)
        return TRANSITIONS[event].get(self.model)

    @rule(minutes=st.sampled_from([1, 11, 60 * 25, 60 * 24 * 40]))
    def time_passes(self, minutes: int) -> None:
        self.now += timedelta(minutes=minutes)
        if self.model is State.PAUSED and self.paused_until and self.paused_until <= self.now:
            self.model = State.ACTIVE

    @rule()
    def somebody_types_the_address(self) -> None:
        source = Source(Method.FORM, ORIGIN, "example.org")
        with self.database.transaction() as session:
            before = len(session.scalars(select(ConsentEvent)).all())
            signup.sign_up(session, parse(ADDRESS), WEEKLY, source, self.tokens, self.now)
            granted = len(session.scalars(select(ConsentEvent)).all()) > before
            row = self.row(session)
        target = self.expect(Event.REQUESTED)
        assert not granted or target is not None
        if granted and target is not None:
            self.model = target
            if row is not None and row.status != Status.ACTIVE:
                self.links.append(self.link(row))

    def link(self, row: Subscriber) -> str:
        return confirmation.token_for(self.tokens, row)

    @rule(which=st.integers(0, 3))
    def a_confirmation_link_is_pressed(self, which: int) -> None:
        if which >= len(self.links):
            return
        newest = which == 0
        token = self.links[-1 - which]
        with self.database.transaction() as session:
            done = confirmation.confirm(session, self.tokens, token, self.act(), DOMAIN)
        if done.state is confirmation.State.CONFIRMED:
            assert newest, "an older link is dead"
            target = self.expect(Event.CONFIRMED)
            assert target is not None
            self.model, self.suppressed = target, None

    @rule(method=st.sampled_from([Method.PAGE, Method.ONE_CLICK]))
    def the_unsubscribe_link_is_pressed(self, method: Method) -> None:
        with self.database.transaction() as session:
            row = self.row(session)
            if row is None:
                return
            token = unsubscribe.token_for(self.tokens, row.public_id)
            left = unsubscribe.unsubscribe(session, self.tokens, token, self.act(method), DOMAIN)
        target = self.expect(Event.WITHDRAWN)
        if target is not None:
            self.model = target
            self.suppressed = self.suppressed or Reason.UNSUBSCRIBED
            if left is not None:
                self.undo.append(unsubscribe.restore_token(self.tokens, left))

    @rule(which=st.integers(0, 2))
    def a_departure_is_taken_back(self, which: int) -> None:
        if which >= len(self.undo):
            return
        token = self.undo[-1 - which]
        with self.database.transaction() as session:
            back = unsubscribe.restore(session, self.tokens, token, self.act())
        if back is not None:
            assert which == 0, "an older link is dead"
            assert self.suppressed is Reason.UNSUBSCRIBED
            assert self.model is not None
            self.model, self.suppressed = TRANSITIONS[Event.RESTORED][self.model], None

    @rule()
    def the_person_is_erased(self) -> None:
        with self.database.transaction() as session:
            row = self.row(session)
            if row is None or self.model is State.ERASED:
                return
            privacy.erase(session, row, self.act())
        self.model, self.suppressed = State.ERASED, Reason.ERASED

    @rule(cadence=st.sampled_from([Cadence.WEEKLY, Cadence.MONTHLY]), pause=st.booleans())
    def preferences_are_saved(self, cadence: Cadence, pause: bool) -> None:
        with self.database.transaction() as session:
            row = self.row(session)
            if row is None:
                return
            token = preferences.token_for(self.tokens, row.public_id)
            until = self.now + timedelta(days=3) if pause and self.model is not None else None
            wishes = Wishes(cadence, (), "UTC", until)
            changed = preferences.change(session, self.tokens, token, wishes, self.act())
        assert (changed is not None) == (self.expect(Event.CHANGED) is not None and not self.fallen())
        if changed is not None:
            self.paused_until = until
            self.model = State.PAUSED if until else State.ACTIVE

    def fallen(self) -> bool:
        return self.suppressed not in (None, Reason.UNSUBSCRIBED)

    @rule(reason=st.sampled_from([Reason.BOUNCED, Reason.COMPLAINED]))
    def the_relay_says_no(self, reason: Reason) -> None:
        event = {Reason.BOUNCED: Event.BOUNCED, Reason.COMPLAINED: Event.COMPLAINED}[reason]
        target = self.expect(event)
        if self.model is None or target is None:
            return
        with self.database.transaction() as session:
            suppression.suppress(session, self.tokens.address_hash(ADDRESS), reason, self.now)
            lifecycle.follow(session, self.now)
        self.model = target
        self.suppressed = max((self.suppressed or reason, reason), key=list(Reason).index)

    @rule()
    def a_list_is_imported(self) -> None:
        with self.database.transaction() as session:
            importing.import_rows(session, self.tokens, self.site, [{"email": ADDRESS}], "a test", self.now)
        if self.suppressed is None and self.model in (None, State.PENDING):
            self.model = State.ACTIVE

    @rule(status=st.sampled_from(["unsubscribed", "bounced", "complained"]))
    def a_list_says_they_must_not_be_mailed(self, status: str) -> None:
        line = {"email": ADDRESS, "status": status}
        with self.database.transaction() as session:
            importing.import_rows(session, self.tokens, self.site, [line], "a test", self.now)
        reason, order = Reason(status), list(Reason)
        heard = self.suppressed is None or order.index(reason) > order.index(self.suppressed)
        if self.model in (State.ACTIVE, State.PAUSED) or (heard and reason is Reason.COMPLAINED):
            self.model = State(status) if self.model not in (None, State.ERASED) else self.model
        self.suppressed = reason if heard else self.suppressed

    @invariant()
    def the_row_is_where_the_model_is(self) -> None:
        with self.database.reading() as session:
            row = self.row(session)
            reason = suppression.reason_for(session, self.tokens.address_hash(ADDRESS))
            events = list(session.scalars(select(ConsentEvent.event).order_by(ConsentEvent.id)))
            mailed = session.execute(audience(Cadence.WEEKLY, self.now)).all()
        assert (lifecycle.state_of(row, None, self.now) if row else None) == self.model
        assert reason == self.suppressed
        # A pause that has run out leaves no event behind: time is no act of anybody's.
        ended = {State.PAUSED: State.ACTIVE} if self.model is State.ACTIVE else {}
        assert ended.get(replayed(events), replayed(events)) == self.model  # type: ignore[arg-type]
        assert not mailed or self.model is State.ACTIVE


def replayed(events: list[str]) -> State | None:
    """Return where a record of consent ends, by the table alone."""
    if Event.ERASED in events:
        assert events == [Event.ERASED], "nothing else is left of the record"
        return State.ERASED
    state: State | None = None
    for event in map(Event, events):
        state = BEGINNINGS[event] if state is None else _step(event, state)
    return state


def _step(event: Event, state: State) -> State:
    # Before some event a pause may have run out by itself.
    table = TRANSITIONS[event]
    return table[state] if state in table else table[State.ACTIVE]


def test_whatever_happens_in_whatever_order_the_rows_are_where_the_model_is(
    database: Database, tokens: Tokens, site: Site
) -> None:
    bound = type("BoundLife", (Life,), {"database": database, "tokens": tokens, "site": site})
    factory: Callable[[], RuleBasedStateMachine] = bound
    run_state_machine_as_test(
        factory,
        settings=settings(
            max_examples=40, stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )
