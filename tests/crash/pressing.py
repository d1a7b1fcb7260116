"""Readers who sign up, confirm, change and leave while the web server is killed under them, and the audit.

What was answered is owed: it is in the database, whole. What was sent and never answered may have happened or
not, but not by halves; who is left in doubt presses nothing more.
"""

import http.client
import itertools
import os
import random
import signal
import subprocess
import sys
import threading
import time
import urllib.parse
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from sqlalchemy import select

from blog.db import Database
from blog.delivery.models import OutboxMail
from blog.subscribers import confirmation, preferences, shield, unsubscribe
from blog.subscribers.models import ConsentEvent, Subscriber
from blog.tokens import Tokens

READERS = 6
GIVE_UP_SECONDS = 30.0
#: What a life is made of, as the consent record names it, and the mail that each step owes.
LIFE = ("requested", "confirmed", "changed", "withdrawn", "restored")
MAILS = {"requested": "confirm", "confirmed": "welcome", "withdrawn": "left"}
STATUS = {
    "requested": "pending",
    "confirmed": "active",
    "changed": "active",
    "withdrawn": "unsubscribed",
    "restored": "active",
}


@dataclass
class Audit:
    """What a run shows: the first two are numbers to be proud of, the lists have to be empty."""

    kills: int
    answered: int
    in_doubt: int
    lost: list[str] = field(default_factory=list)
    halved: list[str] = field(default_factory=list)


@dataclass
class Person:
    """One address: the steps that were answered, and the one whose answer never came."""

    email: str
    answered: list[str] = field(default_factory=list)
    doubt: str | None = None


class Unanswered(Exception):
    """The request may have arrived, and nothing came back."""


class Readers:
    """Some readers at once, each living one life after another."""

    def __init__(self, database: Database, tokens: Tokens, port: int) -> None:
        self._database, self._tokens, self._port = database, tokens, port
        self._numbers = itertools.count(1)
        self._form = shield.form_token(tokens)
        self._stop = threading.Event()
        self.people: list[Person] = []
        self.answered = 0
        self.faults: list[str] = []

    @contextmanager
    def at_work(self) -> Iterator[None]:
        """Let them press until the block ends."""
        time.sleep(shield.QUICKEST.total_seconds())
        threads = [threading.Thread(target=self._live) for _ in range(READERS)]
        for thread in threads:
            thread.start()
        yield
        self._stop.set()
        for thread in threads:
            thread.join()

    def _live(self) -> None:
        while not self._stop.is_set():
            number = next(self._numbers)
            person = Person(f"reader{number}@mail{number % 997}.example.org")
            self.people.append(person)
            network = f"{11 + number // 62500}.{number // 250 % 250}.{number % 250}.7"
            try:
                for step in LIFE:
                    self._press(person, step, network)
                    if self._stop.is_set():
                        return
            except Unanswered:
                continue
            except Exception as error:  # noqa: BLE001 - told at the end, by the test
                self.faults.append(f"{person.email}: {error!r}")
                return

    def _press(self, person: Person, step: str, network: str) -> None:
        path, fields = self._request(person, step)
        body = urllib.parse.urlencode(fields)
        person.doubt = step
        status = self._post(path, body, network)
        assert status == 200, (step, status)
        person.answered.append(step)
        person.doubt = None
        self.answered += 1

    def _request(self, person: Person, step: str) -> tuple[str, dict[str, str]]:
        if step == "requested":
            return "/subscribe", {"email": person.email, "form": self._form}
        with self._database.reading() as session:
            found = session.scalars(select(Subscriber).where(Subscriber.email == person.email)).first()
        if found is None:
            raise Unanswered  # lost: the audit says so
        tokens = self._tokens
        return {
            "confirmed": lambda: (f"/confirm/{confirmation.token_for(tokens, found)}", {}),
            "changed": lambda: (
                f"/preferences/{preferences.token_for(tokens, found.public_id)}",
                {"cadence": "monthly"},
            ),
            "withdrawn": lambda: (f"/unsubscribe/{unsubscribe.token_for(tokens, found.public_id)}", {}),
            "restored": lambda: (f"/restore/{unsubscribe.restore_token(tokens, found)}", {}),
        }[step]()

    def _post(self, path: str, body: str, network: str) -> int:
        headers = {
            "Content-Type": "application/x-www-form-urlencoded",
            "Host": "news.example.org",
            "X-Forwarded-For": network,
        }
        deadline = time.monotonic() + GIVE_UP_SECONDS
        while True:
            line = http.client.HTTPConnection("127.0.0.1", self._port, timeout=10)
            try:
                line.connect()
            except OSError:
                # Nobody there: nothing was sent.
                assert time.monotonic() < deadline, "no server came back"
                time.sleep(0.005)
                continue
            try:
                line.request("POST", path, body, headers)
                answer = line.getresponse()
                answer.read()
            except (OSError, http.client.HTTPException):
                raise Unanswered from None
            finally:
                line.close()
            return answer.status


def run(
    database: Database, tokens: Tokens, environment: dict[str, str], port: int, kills: int, seed: int,
    bug: tuple[str, ...] = (),
) -> Audit:  # fmt: skip
    """Kill the server `kills` times while readers press, and look what has become of each press."""
    chance = random.Random(seed)
    readers = Readers(database, tokens, port)
    with hatching(environment, port, bug) as start, readers.at_work():
        for _ in range(kills):
            server = start()
            goal = readers.answered + chance.randint(1, 25)
            deadline = time.monotonic() + GIVE_UP_SECONDS
            while readers.answered < goal and not readers.faults and time.monotonic() < deadline:
                time.sleep(0.001)
            assert readers.answered >= goal, (readers.answered, goal, readers.faults)
            time.sleep(chance.random() * 0.02)
            os.killpg(server, signal.SIGKILL)
        start()
    assert readers.faults == []
    return _audit(database, readers, kills)


@contextmanager
def hatching(
    environment: dict[str, str], port: int, bug: tuple[str, ...] = (), under: tuple[str, ...] = ()
) -> Iterator[Callable[[], int]]:
    """Load the site; yield what starts a server of it and returns its process group."""
    command = [*under, sys.executable, "-m", "tests.crash.nest", str(port), *bug]
    with subprocess.Popen(
        command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as nest:
        assert nest.stdin is not None
        assert nest.stdout is not None
        last = 0

        def start() -> int:
            nonlocal last
            nest.stdin.write("\n")  # type: ignore[union-attr]
            nest.stdin.flush()  # type: ignore[union-attr]
            last = int(nest.stdout.readline())  # type: ignore[union-attr]
            return last

        try:
            yield start
        finally:
            if last:
                os.killpg(last, signal.SIGKILL)
            nest.stdin.close()
            nest.wait(10)


def _audit(database: Database, readers: Readers, kills: int) -> Audit:
    events: dict[int, list[str]] = defaultdict(list)
    mails: dict[int, list[str]] = defaultdict(list)
    with database.reading() as session:
        rows = {row.email: row for row in session.scalars(select(Subscriber))}
        for number, event in session.execute(
            select(ConsentEvent.subscriber_id, ConsentEvent.event).order_by(ConsentEvent.id)
        ):
            events[number].append(event)
        for number, kind in session.execute(
            select(OutboxMail.subject_id, OutboxMail.kind)
            .where(OutboxMail.state == "pending")
            .order_by(OutboxMail.id)
        ):
            mails[number].append(kind)
    audit = Audit(kills, readers.answered, sum(1 for person in readers.people if person.doubt))
    for person in readers.people:
        row = rows.get(person.email)
        told = events[row.id] if row else []
        owed = person.answered
        if told[: len(owed)] != owed:
            audit.lost.append(f"{person.email}: {owed}, recorded {told}")
        elif told not in (owed, [*owed, person.doubt]):
            audit.halved.append(f"{person.email}: {owed} and perhaps {person.doubt}, recorded {told}")
        if row is None:
            continue
        if row.status != STATUS[told[-1]] or mails[row.id] != [MAILS[e] for e in told if e in MAILS]:
            audit.halved.append(f"{person.email}: {row.status}, recorded {told}, mails {mails[row.id]}")
    return audit
