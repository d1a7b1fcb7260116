"""Planning against a model so simple that it can be seen to be right, over random lives of a publication.

Articles appear, are edited, renamed, taken away and brought back; readers change topics and cadence, pause,
leave and return; issues are run for any cadence, reach everybody or not; the clock moves, backwards too.
Issues end and are put away, whole or half; what they brought is lost later, or found again after all.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select, update

from blog import clock
from blog.articles.models import Article
from blog.content.values import Site
from blog.delivery.models import Delivery, DeliveryState, Mailing, MailingState
from blog.digests import covered, dispatch, plan, shelf
from blog.digests.dispatch import Office
from blog.digests.models import EditionRow
from blog.subscribers.models import Cadence, Subscriber
from blog.web.pieces import Services
from tests.digests.test_plan import NOW, article, subscriber, wipe

TOPICS = ("ai", "security", "privacy")
CADENCES = (Cadence.DAILY, Cadence.WEEKLY)
topics = st.sets(st.sampled_from(TOPICS), max_size=2)
number = st.integers(0, 3)
operation = st.one_of(
    st.tuples(st.just("publish"), topics),
    st.tuples(st.just("rewrite"), number),
    st.tuples(st.just("remove"), number),
    st.tuples(st.just("bring_back"), number),
    st.tuples(st.just("follow"), number, topics),
    st.tuples(st.just("hear"), number, st.sampled_from(CADENCES)),
    st.tuples(st.just("pause"), number, st.integers(1, 300)),
    st.tuples(st.just("leave"), number),
    st.tuples(st.just("come_back"), number),
    st.tuples(st.just("clock"), st.integers(-60, 200)),
    st.tuples(st.just("run"), st.sampled_from(CADENCES), st.booleans()),
    st.tuples(st.just("end")),
    st.tuples(st.just("put_away"), st.integers(1, 4)),
    st.tuples(st.just("lose"), number),
    st.tuples(st.just("find"), number),
    # What matters most happens most.
    *[st.tuples(st.just("publish"), topics)] * 3,
    *[st.tuples(st.just("run"), st.just(Cadence.WEEKLY), st.booleans())] * 4,
)


@dataclass
class Text:
    """An article of the model."""

    id: int
    live: datetime
    topics: set[str]
    there: bool = True


@dataclass
class Reader:
    """A reader of the model; `had` says up to when each issue reached, and whether it is there still."""

    id: int
    topics: set[str]
    cadence: Cadence = Cadence.WEEKLY
    paused_until: datetime = NOW - timedelta(days=999)
    active: bool = True
    had: dict[int, tuple[datetime, bool]] = field(default_factory=dict)

    @property
    def since(self) -> datetime | None:
        """Up to when they have had everything."""
        return next((at for _, (at, there) in sorted(self.had.items(), reverse=True) if there), None)


@dataclass
class World:
    """The system and the model beside it."""

    services: Services
    now: datetime = NOW
    texts: list[Text] = field(default_factory=list)
    readers: list[Reader] = field(default_factory=list)

    def publish(self, about: set[str]) -> None:
        slug = f"a-{len(self.texts)}"
        self.now += timedelta(seconds=1)
        article(self.services, slug, self.now, sorted(about) or ["other"])
        with self.services.database.reading() as session:
            found = session.scalars(select(Article.id).where(Article.slug == slug)).one()
        self.texts.append(Text(found, self.now, about or {"other"}))

    def rewrite(self, which: int) -> None:
        self._text(which, lambda text: {"title": "Another", "slug": f"renamed-{text.id}"})

    def remove(self, which: int) -> None:
        self._text(which, lambda text: vars(text).update(there=False) or {"removed_at": self.now})

    def bring_back(self, which: int) -> None:
        self._text(which, lambda text: vars(text).update(there=True) or {"removed_at": None})

    def follow(self, who: int, what: set[str]) -> None:
        self._reader(who, {"topics": ",".join(sorted(what))}, topics=what)

    def hear(self, who: int, cadence: Cadence) -> None:
        self._reader(who, {"cadence": cadence}, cadence=cadence)

    def pause(self, who: int, hours: int) -> None:
        until = self.now + timedelta(hours=hours)
        self._reader(who, {"paused_until": until}, paused_until=until)

    def leave(self, who: int) -> None:
        self._reader(who, {"status": "unsubscribed"}, active=False)

    def come_back(self, who: int) -> None:
        self._reader(who, {"status": "active"}, active=True)

    def clock(self, hours: int) -> None:
        self.now += timedelta(hours=hours)

    def run(self, cadence: Cadence, arrives: bool) -> None:
        site = Office(
            self.services.database, self.services.settings, self.services.links, Site(name="Signal & System")
        )
        expected = {reader.id: fresh for reader in self.readers if (fresh := self._fresh(reader, cadence))}
        opened = dispatch.run(site, cadence, self.now)
        state = DeliveryState.ACCEPTED if arrives else DeliveryState.FAILED
        with self.services.database.transaction() as session:
            rows = session.execute(
                select(Delivery.recipient_id, EditionRow.articles)
                .join(EditionRow, EditionRow.variant_id == Delivery.variant_id)
                .where(Delivery.mailing_id == opened.issue)
            ).all()
            session.execute(
                update(Delivery).where(Delivery.state == DeliveryState.PLANNED).values(state=state)
            )
        assert {who: set(what) for who, what in rows} == expected
        assert opened.eligible == len(expected)
        for reader in self.readers:
            if opened.issue and reader.id in expected:
                reader.had[opened.issue] = self.now, arrives

    def end(self) -> None:
        done = {"state": MailingState.DONE, "finished_at": clock.now()}
        with self.services.database.transaction() as session:
            session.execute(update(Mailing).where(Mailing.finished_at.is_(None)).values(**done))

    def put_away(self, pieces: int) -> None:
        covered.put_away(self.services.database, pieces)

    def lose(self, who: int) -> None:
        """Have the last of a reader's issues that arrived come back."""
        self._turn(who, True, DeliveryState.FAILED)

    def find(self, who: int) -> None:
        """Have one that failed go out after all; for that its issue goes on."""
        issue = self._turn(who, False, DeliveryState.ACCEPTED)
        on = {"state": MailingState.SENDING, "finished_at": None}
        with self.services.database.transaction() as session:
            session.execute(update(Mailing).where(Mailing.id == issue).values(**on))

    def _turn(self, who: int, there: bool, state: DeliveryState) -> int | None:
        """Change a reader's last issue that is there, or is not, to the contrary; return which it was."""
        if who >= len(self.readers):
            return None
        reader = self.readers[who]
        issue = max((one for one, (_, is_there) in reader.had.items() if is_there is there), default=None)
        if issue is not None:
            reader.had[issue] = reader.had[issue][0], not there
            mine = Delivery.mailing_id == issue, Delivery.recipient_id == reader.id
            with self.services.database.transaction() as session:
                session.execute(update(Delivery).where(*mine).values(state=state))
        return issue

    def _fresh(self, reader: Reader, cadence: Cadence) -> set[int]:
        if not reader.active or reader.cadence != cadence or reader.paused_until > self.now:
            return set()
        mine = [
            text
            for text in self.texts
            if text.there and text.live <= self.now and (not reader.topics or reader.topics & text.topics)
        ]
        mine.sort(key=lambda text: (text.live, text.id))
        if reader.since is not None:
            fresh = [text for text in mine if text.live > reader.since]
        else:
            reach, at_least = shelf.FIRST_ISSUE[cadence]
            latest = mine[-at_least:]
            fresh = [text for text in mine if text in latest or text.live > self.now - reach]
        return {text.id for text in fresh[-plan.MOST_ARTICLES :]}

    def _text(self, which: int, change: Callable[[Text], dict[str, object]]) -> None:
        if which < len(self.texts):
            text = self.texts[which]
            values = change(text)
            with self.services.database.transaction() as session:
                session.execute(update(Article).where(Article.id == text.id).values(**values))

    def _reader(self, who: int, columns: dict[str, object], **model: object) -> None:
        if who < len(self.readers):
            vars(self.readers[who]).update(model)
            with self.services.database.transaction() as session:
                row = Subscriber.id == self.readers[who].id
                session.execute(update(Subscriber).where(row).values(**columns))


@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(st.lists(topics, min_size=1, max_size=4), st.lists(operation, min_size=20, max_size=40))
def test_whatever_happens_each_reader_gets_what_is_new_to_them_once(
    services: Services,
    monkeypatch: pytest.MonkeyPatch,
    people: list[set[str]],
    life: list[tuple[str, object]],
) -> None:
    monkeypatch.setattr(covered, "PEOPLE_AT_ONCE", 2)
    wipe(services.database)
    world = World(services)
    for place, followed in enumerate(people):
        person = subscriber(services, f"p{place}@example.org", ",".join(sorted(followed)))
        world.readers.append(Reader(person, followed))
    for name, *details in [*life, ("run", Cadence.WEEKLY, True), ("run", Cadence.WEEKLY, True)]:
        getattr(world, name)(*details)


def test_who_comes_back_after_a_long_pause_gets_the_newest_of_what_they_missed(services: Services) -> None:
    world = World(services)
    world.readers.append(Reader(subscriber(services, "ada@example.org"), set()))
    world.publish({"ai"})
    world.run(Cadence.WEEKLY, True)
    world.pause(0, 24 * 90)
    for _ in range(plan.MOST_ARTICLES + 5):
        world.clock(24)
        world.publish({"ai"})
    world.run(Cadence.WEEKLY, True)
    world.clock(24 * 90)
    site = Office(services.database, services.settings, services.links, Site())
    opened = dispatch.run(site, Cadence.WEEKLY, world.now)
    with services.database.reading() as session:
        edition = session.scalars(select(EditionRow).order_by(EditionRow.variant_id.desc())).first()
    assert opened.eligible == 1
    assert edition is not None
    newest = [text.id for text in reversed(world.texts)][: plan.MOST_ARTICLES]
    assert (edition.articles, edition.more) == (newest, 5)
