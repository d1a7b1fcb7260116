"""The sender and the ledger together, over real sockets, on both databases."""

import threading
from collections import Counter
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select, update

from blog import clock
from blog.db import Database
from blog.delivery import balance, ledger, recording
from blog.delivery.models import Delivery, DeliveryState, Mailing, MailingState, Suppression
from blog.delivery.sender import Report, Sending, send_due
from blog.delivery.smtp import Relay as RelayAddress
from blog.delivery.smtp import Security
from blog.delivery.states import Claim, Owner, Policy
from tests.mailings import address_of, hash_of, make_mailing
from tests.relay import EXTENSIONS, Relay, Script, random_faults, relay
from tests.smtp_server import certificate, smtp_server

OWNER = Owner("host/0", "host/0/run-1")


def personalise(claim: Claim) -> Mapping[str, bytes]:
    return {"to": claim.address.encode(), "message_id": claim.message_id.encode()}


def send(
    database: Database,
    to: Relay | int,
    policy: Policy = Policy.HOLD,
    connections: int = 3,
    owner: Owner = OWNER,
) -> Report:
    port = to if isinstance(to, int) else to.port
    sending = Sending(
        database, owner, RelayAddress("127.0.0.1", port, "test"), connections, policy, personalise, clock.now
    )
    return send_due(sending, threading.Event(), patience=4)


def make(database: Database, recipients: int) -> int:
    with database.transaction() as session:
        return make_mailing(session, recipients, clock.now())


def account(database: Database, mailing: int) -> dict[str, int]:
    with database.reading() as session:
        found = balance.balance(session, mailing)
    assert found is not None
    counts = {name: getattr(found, name) for name in found.__dataclass_fields__ if name != "state"}
    assert counts["eligible"] == sum(number for name, number in counts.items() if name != "eligible")
    return {name: number for name, number in counts.items() if number}


@pytest.mark.parametrize("extensions", [EXTENSIONS, ()], ids=["pipelining", "in turn"])
def test_every_recipient_gets_the_message_once_and_the_balance_is_exact(
    database: Database, extensions: tuple[str, ...]
) -> None:
    mailing = make(database, 120)
    with relay(Script(extensions=extensions)) as server:
        report = send(database, server)
    assert Counter(m.recipient for m in server.messages) == {address_of(n): 1 for n in range(120)}
    assert account(database, mailing) == {"eligible": 120, "accepted": 120}
    assert report.results == {"accepted": 120}
    assert server.script.connections <= 3
    assert server.script.violations == []


def test_a_dot_at_the_start_of_a_line_arrives_as_written(database: Database) -> None:
    make(database, 1)
    with relay() as server:
        send(database, server)
    assert server.messages[0].raw.endswith(b"\r\n\r\nHello\r\n. a line with a dot\r\n")


def test_a_second_run_mails_nobody_again(database: Database) -> None:
    mailing = make(database, 20)
    with relay() as server:
        send(database, server)
        send(database, server)
    assert len(server.messages) == 20
    assert account(database, mailing) == {"eligible": 20, "accepted": 20}


def test_a_suppressed_address_is_skipped_inside_the_claim(database: Database) -> None:
    mailing = make(database, 5)
    with database.transaction() as session:
        session.add(
            Suppression(address_hash=hash_of(address_of(2)), reason="unsubscribed", created_at=clock.now())
        )
    with relay() as server:
        send(database, server)
    assert address_of(2) not in {m.recipient for m in server.messages}
    assert account(database, mailing) == {"eligible": 5, "accepted": 4, "skipped": 1}


def test_a_reader_who_leaves_between_claim_and_hand_over_gets_nothing(database: Database) -> None:
    mailing = make(database, 1)
    with database.transaction() as session:
        claims, _ = ledger.claim(session, mailing, OWNER, 10, clock.now())
    with database.transaction() as session:
        session.add(
            Suppression(address_hash=hash_of(address_of(0)), reason="unsubscribed", created_at=clock.now())
        )
    with database.transaction() as session:
        granted = recording.record(session, OWNER, [], [claims[0].id], clock.now())
    assert granted == set()
    assert account(database, mailing) == {"eligible": 1, "skipped": 1}


def test_a_paused_mailing_lets_nothing_more_out(database: Database) -> None:
    mailing = make(database, 10)
    with database.transaction() as session:
        claims, _ = ledger.claim(session, mailing, OWNER, 10, clock.now())
        session.execute(update(Mailing).values(state=MailingState.PAUSED))
    with database.transaction() as session:
        assert recording.record(session, OWNER, [], [claims[0].id], clock.now()) == set()
        ledger.release(session, OWNER, [c.id for c in claims], clock.now())
    with relay() as server:
        send(database, server)
    assert server.messages == []
    assert account(database, mailing) == {"eligible": 10, "pending": 10}


@pytest.mark.parametrize(
    ("fault", "expected", "suppressed"),
    [
        ("rcpt 550 5.1.1 no such user", "bounced", True),
        ("rcpt 550 no such user", "bounced", True),
        ("rcpt 550 5.7.1 blocked by policy", "failed", False),
        ("rcpt 552 5.2.2 mailbox full", "failed", False),
        ("dot 554 5.6.0 bad content", "failed", False),
        ("rcpt 451", "pending", False),
        ("dot 451", "pending", False),
        ("data 451", "pending", False),
    ],
)
def test_each_refusal_is_laid_at_the_right_door(
    database: Database, fault: str, expected: str, suppressed: bool
) -> None:
    mailing = make(database, 3)
    script = Script(fault=lambda recipient: fault if recipient == address_of(1) else "")
    with relay(script) as server:
        send(database, server, connections=1)
    assert account(database, mailing) == {"eligible": 3, "accepted": 2, expected: 1}
    with database.reading() as session:
        assert list(session.scalars(select(Suppression.address_hash))) == (
            [hash_of(address_of(1))] if suppressed else []
        )


def test_a_relay_that_asks_for_content_after_refusing_the_recipient_gets_a_lone_dot(
    database: Database,
) -> None:
    mailing = make(database, 3)
    script = Script(fault=lambda recipient: "354 anyway" if recipient == address_of(1) else "")
    with relay(script) as server:
        send(database, server, connections=1)
    assert account(database, mailing)["accepted"] >= 2
    assert server.script.violations == []


@pytest.mark.parametrize("policy", [Policy.HOLD, Policy.RESEND])
@pytest.mark.parametrize("taken", ["accepted", "refused"])
def test_a_connection_lost_after_the_final_dot_is_uncertain_and_settled_by_policy(
    database: Database, policy: Policy, taken: str
) -> None:
    mailing = make(database, 3)
    seen: Counter[str] = Counter()

    def once(recipient: str) -> str:
        seen[recipient] += 1
        first = recipient == address_of(1) and seen[recipient] == 1
        return f"drop after dot, {taken}" if first else ""

    with relay(Script(fault=once)) as server:
        send(database, server, policy, connections=1)
    copies = len(server.to(address_of(1)))
    if policy is Policy.HOLD:
        assert account(database, mailing) == {"eligible": 3, "accepted": 2, "uncertain": 1}
        assert copies == (1 if taken == "accepted" else 0)
        with database.reading() as session:
            assert [address for address, _ in balance.uncertain(session, mailing)] == [address_of(1)]
    else:
        assert account(database, mailing) == {"eligible": 3, "accepted": 3}
        assert copies == (2 if taken == "accepted" else 1)
        assert len({m.message_id for m in server.to(address_of(1))}) == 1


def test_a_relay_that_always_drops_after_the_dot_gets_a_message_at_most_twice(database: Database) -> None:
    mailing = make(database, 1)
    with relay(Script(fault=lambda _: "drop after dot, accepted")) as server:
        send(database, server, Policy.RESEND, connections=1)
    assert len(server.messages) == 2
    assert account(database, mailing) == {"eligible": 1, "uncertain": 1}


def test_a_connection_lost_within_the_content_is_tried_again_and_never_doubled(database: Database) -> None:
    mailing = make(database, 3)
    seen: Counter[str] = Counter()

    def once(recipient: str) -> str:
        seen[recipient] += 1
        return "drop in content" if recipient == address_of(1) and seen[recipient] == 1 else ""

    # The content must outlast the drop: only then does the sender learn of it before the final dot has left.
    with relay(Script(fault=once)) as server:
        send(database, server, Policy.RESEND, connections=1)
    assert account(database, mailing) == {"eligible": 3, "accepted": 3}
    assert Counter(m.recipient for m in server.messages) == {address_of(n): 1 for n in range(3)}


def test_a_stopped_relay_loses_nothing_and_costs_no_attempt(database: Database) -> None:
    mailing = make(database, 8)
    with relay() as server:
        port = server.port
    report = send(database, port)
    assert report.trouble
    assert "refused" in report.trouble
    assert account(database, mailing) == {"eligible": 8, "pending": 8}
    with database.reading() as session:
        assert {tuple(row) for row in session.execute(select(Delivery.state, Delivery.attempts))} == {
            ("planned", 0)
        }
    with relay() as again:
        send(database, again)
    assert account(database, mailing) == {"eligible": 8, "accepted": 8}


def test_under_many_faults_nothing_is_lost_and_nothing_is_silently_doubled(database: Database) -> None:
    mailing = make(database, 150)
    with relay(Script(fault=random_faults(7, 0.2))) as server:
        for _ in range(30):
            send(database, server)
            with database.transaction() as session:
                session.execute(update(Delivery).values(next_at=clock.now() - timedelta(seconds=1)))
    counts = account(database, mailing)
    copies = Counter(m.recipient for m in server.messages)
    with database.reading() as session:
        states = dict(session.execute(select(Delivery.address, Delivery.state)).all())
    assert counts.get("pending", 0) == 0
    assert max(copies.values()) == 1
    for address, state in states.items():
        assert copies[address] == 1 or state == DeliveryState.UNCERTAIN
    assert server.script.violations == []


def test_what_a_dead_worker_left_is_given_back_or_named_at_once_by_the_next_holder_of_its_slot(
    database: Database,
) -> None:
    mailing = make(database, 3)
    with database.transaction() as session:
        claims, _ = ledger.claim(session, mailing, OWNER, 3, clock.now())
        recording.record(session, OWNER, [], [claims[0].id], clock.now())
    with database.transaction() as session:
        for bystander in (OWNER, Owner("host/1", "host/1/run-2")):
            assert ledger.recover(session, bystander, Policy.HOLD, clock.now()) == (0, 0)
        assert ledger.recover(session, Owner("host/0", "host/0/run-2"), Policy.HOLD, clock.now()) == (2, 1)
    assert account(database, mailing) == {"eligible": 3, "pending": 2, "uncertain": 1}


def test_a_lease_that_is_over_is_taken_from_another_host_and_its_late_answer_is_fenced(
    database: Database,
) -> None:
    mailing = make(database, 1)
    later = clock.now() + ledger.LEASE + timedelta(seconds=1)
    with database.transaction() as session:
        claims, _ = ledger.claim(session, mailing, OWNER, 1, clock.now())
    with database.transaction() as session:
        ledger.recover(session, Owner("other/0", "other/0/run"), Policy.HOLD, later)
        ledger.claim(session, mailing, Owner("other/0", "other/0/run"), 1, later)
    with database.transaction() as session:
        assert recording.record(session, OWNER, [], [claims[0].id], later) == set()
        ledger.release(session, OWNER, [claims[0].id], later)
    with database.reading() as session:
        assert session.scalars(select(Delivery.owner)).one() == "other/0/run"


def test_a_message_that_cannot_be_made_fails_alone(database: Database) -> None:
    with database.transaction() as session:
        mailing = make_mailing(session, 3, clock.now())
        session.execute(
            update(Delivery).where(Delivery.address == address_of(1)).values(address="a\r\nRCPT TO:<x@y>")
        )
    with relay() as server:
        send(database, server)
    assert account(database, mailing) == {"eligible": 3, "accepted": 2, "failed": 1}
    assert {m.recipient for m in server.messages} == {address_of(0), address_of(2)}


def test_a_relay_we_have_not_written_takes_the_same_messages(database: Database) -> None:
    mailing = make(database, 30)
    with smtp_server() as server:
        server.refusals[address_of(3)] = "rcpt 550 5.1.1 nobody here"
        server.refusals[address_of(4)] = "dot 451 4.3.0 later"
        send(database, server.port)
    assert account(database, mailing) == {"eligible": 30, "accepted": 28, "bounced": 1, "pending": 1}
    assert Counter(taken.recipients[0] for taken in server.taken) == {
        address_of(n): 1 for n in range(30) if n not in (3, 4)
    }
    assert {taken.hello for taken in server.taken} == {"test"}
    assert all(len(taken.recipients) == 1 for taken in server.taken)


def test_a_relay_whose_certificate_nobody_vouches_for_gets_no_message(
    database: Database, tmp_path: Path
) -> None:
    mailing = make(database, 2)
    _, context = certificate(tmp_path)
    with smtp_server(tls_context=context, require_starttls=True) as server:
        relay_address = RelayAddress("127.0.0.1", server.port, "test", Security.STARTTLS)
        sending = Sending(database, OWNER, relay_address, 1, Policy.HOLD, personalise, clock.now)
        report = send_due(sending, threading.Event(), patience=2)
    assert "certificate verify failed" in (report.trouble or "")
    assert server.taken == []
    assert account(database, mailing) == {"eligible": 2, "pending": 2}


def test_mail_is_not_sent_in_the_clear_when_tls_was_asked_for(database: Database) -> None:
    mailing = make(database, 2)
    with relay() as server:
        relay_address = RelayAddress("127.0.0.1", server.port, "test", Security.STARTTLS)
        sending = Sending(database, OWNER, relay_address, 1, Policy.HOLD, personalise, clock.now)
        report = send_due(sending, threading.Event(), patience=2)
    assert "no STARTTLS" in (report.trouble or "")
    assert account(database, mailing) == {"eligible": 2, "pending": 2}


def test_what_the_log_says_of_a_trouble_holds_no_address(
    database: Database, capsys: pytest.CaptureFixture[str]
) -> None:
    make(database, 1)
    with relay(Script(fault=lambda recipient: f"rcpt 421 4.3.2 too many to <{recipient}>")) as server:
        report = send(database, server, connections=1)
    said = capsys.readouterr()
    assert "421 4.3.2 too many to <<address>>" in (report.trouble or "")
    assert "@" not in said.out + said.err + (report.trouble or "")


def test_a_fault_of_our_own_while_recording_ends_the_run_and_lets_nothing_out(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    mailing = make(database, 5)

    def faulty(*_: object) -> set[int]:
        raise ZeroDivisionError

    monkeypatch.setattr(recording, "record", faulty)
    with relay() as server, pytest.raises(ZeroDivisionError):
        send(database, server)
    assert server.messages == []
    monkeypatch.undo()
    with database.transaction() as session:
        ledger.recover(session, Owner("host/0", "host/0/run-2"), Policy.HOLD, clock.now())
    assert account(database, mailing) == {"eligible": 5, "pending": 5}


def test_several_workers_share_a_mailing_without_sending_twice(database: Database) -> None:
    mailing = make(database, 200)
    with relay() as server:
        threads = [
            threading.Thread(
                target=send, args=(database, server, Policy.HOLD, 2, Owner(f"h/{n}", f"h/{n}/r"))
            )
            for n in range(3)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert Counter(m.recipient for m in server.messages) == {address_of(n): 1 for n in range(200)}
    assert account(database, mailing) == {"eligible": 200, "accepted": 200}


def test_a_finished_mailing_is_closed_and_an_open_one_is_not(database: Database) -> None:
    done, waiting = make(database, 1), make(database, 1)
    with database.transaction() as session:
        session.execute(
            update(Delivery).where(Delivery.mailing_id == done).values(state=DeliveryState.ACCEPTED)
        )
        assert ledger.finish(session, clock.now()) == [done]
    with database.reading() as session:
        assert balance.balance(session, waiting).state == MailingState.SENDING  # type: ignore[union-attr]
