"""Kills a real worker with SIGKILL in the middle of an issue, many times, and audits every delivery."""

import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import func, select

from blog import clock
from blog.db import Database
from blog.delivery import balance
from blog.delivery.models import Delivery, DeliveryState
from blog.delivery.states import Balance
from tests.mailings import make_mailing

CONNECTIONS = 4
START_SECONDS = 30.0


@dataclass
class Audit:
    """What a run shows: every number here is a promise, except `kills` and `uncertain_truth`."""

    kills: int
    balance: Balance
    lost: list[str]
    silently_doubled: list[str]
    uncertain: int
    uncertain_but_accepted: int
    worst_kill: int
    per_kill: list[int] = field(default_factory=list)


@contextmanager
def relay_process(
    log: Path, seed: int, faults: float = 0.0, delay: float = 0.002, once: str = "",
    inside: tuple[str, ...] = (),
) -> Iterator[int]:  # fmt: skip
    """Run the scripted relay as a process of its own, which outlives the kills; yield its port.

    `inside` are the words of a command that runs it somewhere else.
    """
    arguments = [
        str(log),
        "--seed",
        str(seed),
        "--faults",
        str(faults),
        "--delay",
        str(delay),
        "--once",
        once,
    ]
    process = subprocess.Popen(
        [*inside, sys.executable, "-m", "tests.relay", *arguments], stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        yield int(process.stdout.readline().split()[1])
    finally:
        process.kill()
        process.wait()
        if process.stdout:
            process.stdout.close()


def run(
    database: Database, url: str, folder: Path, kills: int, recipients: int, seed: int,
    command: tuple[str, ...] = ("-m", "blog.cli"), policy: str = "hold", stop_with: int = signal.SIGKILL,
) -> Audit:  # fmt: skip
    """Plan an issue, kill its worker `kills` times at random moments, let it finish, and audit."""
    chance = random.Random(seed)
    log = folder / "accepted.log"
    with database.transaction() as session:
        mailing = make_mailing(session, recipients, clock.now())
    per_kill = []
    with relay_process(log, seed) as port:
        environment = _environment(url, folder, port, policy)
        for _ in range(kills):
            per_kill.append(_kill_once(database, log, environment, command, chance, stop_with))
        finished = subprocess.run(
            [sys.executable, *command, "worker", "--until-idle"], env=environment, timeout=300, check=False,
            capture_output=True, text=True,
        )  # fmt: skip
        assert finished.returncode == 0, finished.stderr
    return audit(database, mailing, log, per_kill)


def _kill_once(
    database: Database,
    log: Path,
    environment: dict[str, str],
    command: tuple[str, ...],
    chance: random.Random,
    stop_with: int,
) -> int:
    """Start a worker, stop it after some messages; return how many hand-overs it left open."""
    goal = lines(log) + chance.randint(2, 35)
    process = subprocess.Popen(
        [sys.executable, *command, "worker", "--until-idle"],
        env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    deadline = time.monotonic() + START_SECONDS
    while lines(log) < goal and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.002)
    time.sleep(chance.random() * 0.004)
    process.send_signal(stop_with)
    process.wait(10)
    with database.reading() as session:
        return session.scalar(
            select(func.count()).select_from(Delivery).where(Delivery.state == DeliveryState.HANDING_OVER)
        ) or 0  # fmt: skip


def audit(database: Database, mailing: int, log: Path, per_kill: list[int]) -> Audit:
    """Compare every delivery of a mailing with what the relay took."""
    accepted = Counter(line.split()[0] for line in log.read_text().splitlines())
    with database.reading() as session:
        rows = list(session.execute(select(Delivery.address, Delivery.state, Delivery.unknowns)))
        account = balance.balance(session, mailing)
    assert account is not None
    uncertain = [address for address, state, _ in rows if state == DeliveryState.UNCERTAIN]
    return Audit(
        kills=len(per_kill),
        balance=account,
        lost=[a for a, state, _ in rows if not accepted[a] and state != DeliveryState.UNCERTAIN],
        silently_doubled=[a for a, _, unknowns in rows if accepted[a] > 1 + unknowns],
        uncertain=len(uncertain),
        uncertain_but_accepted=sum(1 for address in uncertain if accepted[address]),
        worst_kill=max(per_kill, default=0),
        per_kill=per_kill,
    )


def lines(log: Path) -> int:
    """Return how many messages the relay has taken."""
    return log.read_bytes().count(b"\n") if log.exists() else 0


def _environment(url: str, folder: Path, port: int, policy: str) -> dict[str, str]:
    content = folder / "content"
    content.mkdir(exist_ok=True)
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "BLOG_DATABASE_URL": url,
        "BLOG_VAR_DIR": str(folder / "var"),
        "BLOG_CONTENT_DIR": str(content),
        "BLOG_SITE_URL": "https://news.example.org",
        "BLOG_SECRET_KEY": "a-secret-for-tests-only-0123456789abcdef",
        "BLOG_MAIL_DEFAULT_SENDER": "News <news@example.org>",
        "BLOG_MAIL_SERVER": "127.0.0.1",
        "BLOG_MAIL_PORT": str(port),
        "BLOG_POSTAL_ADDRESS": "Example Ltd, 1 High Street, Exampletown",
        "BLOG_SMTP_CONNECTIONS": str(CONNECTIONS),
        "BLOG_UNCERTAIN_POLICY": policy,
    }
