"""Signatures that somebody else's verifier (dkimpy) accepts, and that any change breaks."""

import re
import threading
import time
from pathlib import Path

import dkim as verifier
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa
from hypothesis import given, settings
from hypothesis import strategies as st

from blog import clock, create_app
from blog.db import Database
from blog.delivery import outbox
from blog.delivery.dkim import SEALED, SHORTEST_RSA, Key, Signer, published, relaxed_body, signer
from blog.delivery.states import Owner
from blog.errors import SettingsError, UsageError
from blog.settings import Settings, load_settings
from blog.worker.tasks import Work
from tests.factories import make_subscriber
from tests.mailings import make_mailing
from tests.smtp_server import smtp_server

RSA = Key("s1", rsa.generate_private_key(65537, SHORTEST_RSA))
ED = Key("s2", ed25519.Ed25519PrivateKey.generate())
SIGN = Signer("example.org", (RSA, ED))
MAIL = (
    b"From: News <news@example.org>\r\nTo: ada@example.org\r\nSubject: Two  words\r\n and a fold\r\n"
    b"Date: Tue, 03 Nov 2026 09:00:00 +0000\r\nMessage-ID: <1.ab@example.org>\r\n"
    b"List-Unsubscribe: <https://example.org/unsubscribe/x>\r\n"
    b"List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\nMIME-Version: 1.0\r\n\r\n"
    b"Hello  you \t\r\n.a dot\r\n\r\n\r\n"
)


def dns(name: bytes, timeout: int = 5) -> bytes:
    """Answer as the name server of example.org would."""
    from base64 import b64encode

    raw, der = serialization.Encoding.Raw, serialization.Encoding.DER
    if name.startswith(b"s1."):
        public = RSA.private.public_key().public_bytes(der, serialization.PublicFormat.SubjectPublicKeyInfo)
        return b"v=DKIM1; k=rsa; p=" + b64encode(public)
    public = ED.private.public_key().public_bytes(raw, serialization.PublicFormat.Raw)
    return b"v=DKIM1; k=ed25519; p=" + b64encode(public)


def verified(message: bytes) -> list[bool]:
    """Return what the verifier says of the first and of the second signature."""
    return [_verifies(message, index) for index in (0, 1)]


def _verifies(message: bytes, index: int) -> bool:
    try:
        return bool(verifier.DKIM(message).verify(idx=index, dnsfunc=dns))
    except verifier.ValidationError:
        return False


def test_both_signatures_are_accepted() -> None:
    assert verified(SIGN(MAIL) + MAIL) == [True, True]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"Hello", b"Hallo"),
        (b"Two", b"Too"),
        (b"unsubscribe/x", b"unsubscribe/y"),
        (b"MIME-Version: 1.0\r\n", b"MIME-Version: 1.0\r\nList-Unsubscribe: <https://evil.example/>\r\n"),
        (b"From: News", b"From: Eve <eve@evil.example>\r\nFrom: News"),
        (b"MIME-Version: 1.0\r\n", b"MIME-Version: 1.0\r\nReply-To: eve@evil.example\r\n"),
        (b"MIME-Version: 1.0\r\n", b"MIME-Version: 1.0\r\nSubject: another\r\n"),
    ],
)
def test_a_change_or_an_added_field_breaks_them(old: bytes, new: bytes) -> None:
    assert verified(SIGN(MAIL) + MAIL.replace(old, new, 1)) == [False, False]


def test_what_relays_may_do_to_blanks_does_not() -> None:
    there = MAIL.replace(b"Two  words\r\n and", b"Two words and").replace(b"you \t\r\n", b"you\r\n")
    assert verified(SIGN(MAIL) + there) == [True, True]


def test_every_field_that_readers_go_by_is_sealed_and_no_line_is_long() -> None:
    lines = SIGN(MAIL).decode()
    assert lines.count("DKIM-Signature:") == 2
    assert max(map(len, lines.split("\r\n"))) <= 78
    named = re.sub(r"\s", "", re.search(r"h=([^;]*);", lines, re.DOTALL)[1]).split(":")  # type: ignore[index]
    for name in SEALED:
        assert named.count(name) == 1 + (f"\r\n{name}:" in f"\r\n{MAIL.decode()}"), name
    assert " l=" not in lines
    assert "c=relaxed/relaxed" in lines


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from([b"a", b" ", b"\t", b"\r\n", b".", b"b  c"]), max_size=30).map(b"".join))
def test_the_relaxed_body_is_the_verifiers(body: bytes) -> None:
    body += b"\r\n"
    assert relaxed_body(body) == verifier.canonicalization.Relaxed.canonicalize_body(body)


def test_a_digest_and_a_single_mail_leave_signed(
    settings: Settings, database: Database, tmp_path: Path
) -> None:
    keys = {key.selector: _file(tmp_path, key) for key in (RSA, ED)}
    changes = {"dkim_keys": keys, "dkim_domain": "example.org"}
    with smtp_server() as server:
        app = create_app(settings.model_copy(update={**changes, "mail_port": server.port}))
        services = app.extensions["blog"]
        with database.transaction() as session:
            make_mailing(session, 2, clock.now())
            ada = make_subscriber(session, services.tokens, "ada@example.org", status="pending")
            outbox.add(session, "confirm", ada.id, "confirm-1", "news.example.org", clock.now())
        work = Work(app, services, Owner("s", "t"))
        # The template's dots are stuffed; what is signed is the mail as it arrives.
        work.send(threading.Event(), 3)
        assert work.mail()
        services.database.dispose()
    assert len(server.taken) == 3
    for taken in server.taken:
        assert verified(taken.raw) == [True, True]


def test_a_signature_takes_a_fraction_of_a_pure_python_one() -> None:
    message = MAIL + b"A line of a body, of the usual length, with words in it and a link.\r\n" * 230
    ours, theirs = _milliseconds(lambda: Signer("example.org", (RSA,))(message), 40), _of_verifier(message)
    print(f"RSA-2048: {ours:.2f} ms, dkimpy {theirs:.1f} ms")
    assert ours < theirs / 4


@pytest.mark.parametrize(
    ("content", "why"),
    [(b"nonsense", "no private key"), (None, "RSA of 2048 bits")],
)
def test_a_key_that_will_not_do_is_named(tmp_path: Path, content: bytes | None, why: str) -> None:
    path = tmp_path / "key.pem"
    if content is None:
        path = _file(tmp_path, Key("s3", rsa.generate_private_key(65537, 1024)))
    else:
        path.write_bytes(content)
    with pytest.raises(UsageError, match=why):
        signer("example.org", (("s1", path),))


def test_settings_refuse_a_key_that_everybody_can_read_or_that_is_not_there(tmp_path: Path) -> None:
    path = _file(tmp_path, RSA)
    path.chmod(0o644)
    for keys, why in (
        ({"s1": path}, "chmod o="),
        ({"s1": tmp_path / "none.pem"}, "there is no file"),
        ({"a b": path}, "no selector"),
    ):
        with pytest.raises(SettingsError, match=f"BLOG_DKIM_KEYS.*{why}"):
            load_settings(dkim_keys=keys)


def _file(folder: Path, key: Key) -> Path:
    path = folder / f"{key.selector}.pem"
    pkcs8, plain = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    path.write_bytes(key.private.private_bytes(serialization.Encoding.PEM, pkcs8, plain))
    path.chmod(0o600)
    return path


def _of_verifier(message: bytes) -> float:
    old = serialization.PrivateFormat.TraditionalOpenSSL
    pem = RSA.private.private_bytes(serialization.Encoding.PEM, old, serialization.NoEncryption())
    return _milliseconds(lambda: verifier.sign(message, b"s1", b"example.org", pem), 8)


def _milliseconds(act: object, times: int) -> float:
    started = time.process_time()
    for _ in range(times):
        act()  # type: ignore[operator]
    return (time.process_time() - started) * 1000 / times


@pytest.mark.parametrize("kind", ["rsa", "ed25519"])
def test_the_record_that_is_to_be_published_verifies_what_its_key_signs(tmp_path: Path, kind: str) -> None:
    private = RSA.private if kind == "rsa" else ED.private
    path = tmp_path / "key.pem"
    encryption = serialization.NoEncryption()
    form = serialization.PrivateFormat.PKCS8
    path.write_bytes(private.private_bytes(serialization.Encoding.PEM, form, encryption))
    record = f"v=DKIM1; k={kind}; p={published(path)}".encode()
    signed = signer("example.org", (("s1", path),))(MAIL) + MAIL
    assert verifier.verify(signed, dnsfunc=lambda *_, **__: record)
