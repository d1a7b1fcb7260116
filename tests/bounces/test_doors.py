"""The doors of providers: each opens to its own signature alone, and keeps its limits."""

import hashlib
import hmac
import json
import time
from base64 import b64encode
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from flask import Flask
from flask.testing import FlaskClient
from pydantic import SecretStr
from sqlalchemy import update

from blog import clock, create_app
from blog.bounces import views
from blog.db import Database
from blog.delivery.models import Delivery, DeliveryState
from blog.settings import Settings
from blog.web.pieces import Services
from tests.bounces.letters import dsn
from tests.bounces.test_settling import counts, delivery, everything, issue, path, status
from tests.serving import visitor

__all__ = ["issue"]

SECRET, OLDER = "n" * 32, "o" * 32
MAILGUN = "key-of-mailgun"
LOGIN = "postmark:a-long-password-1"
TOPIC = "arn:aws:sns:eu-west-1:123456789012:bounces"
HOST = "https://sns.eu-west-1.amazonaws.com"
CERTIFICATE = f"{HOST}/SimpleNotificationService-0123456789abcdef.pem"
ELSEWHERE = CERTIFICATE.replace(".com", ".com.evil.example")
AMAZON = rsa.generate_private_key(65537, 2048)
SENDGRID = ec.generate_private_key(ec.SECP256R1())

Post = Callable[..., Any]


@pytest.fixture
def fetched() -> list[str]:
    """What was asked of Amazon."""
    return []


@pytest.fixture
def app(settings: Settings, database: Database, issue: int, fetched: list[str]) -> Iterator[Flask]:
    """The application with every door open, over an issue that Ada and Bob have had."""
    public = SENDGRID.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )

    opened = settings.model_copy(
        update={
            "bounce_secrets": [SecretStr(SECRET), SecretStr(OLDER)],
            "ses_topics": [TOPIC],
            "postmark_login": SecretStr(LOGIN),
            "mailgun_signing_key": SecretStr(MAILGUN),
            "sendgrid_public_key": b64encode(public).decode(),
        }
    )
    made = create_app(opened)
    made.config[views.FETCH] = lambda address: fetched.append(address) or certificate()
    yield made
    made.extensions["blog"].database.dispose()


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    """A provider, from a network of its own."""
    return visitor(app)


def certificate(name: str = "sns.amazonaws.com", days: int = 30) -> bytes:
    """Return a certificate of our own Amazon."""
    subject = x509.Name([x509.NameAttribute(x509.oid.NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    made = x509.CertificateBuilder().subject_name(subject).issuer_name(subject).serial_number(7)
    made = made.public_key(AMAZON.public_key()).not_valid_before(now - timedelta(days=60))
    signed = made.not_valid_after(now + timedelta(days=days)).sign(AMAZON, hashes.SHA256())
    return signed.public_bytes(serialization.Encoding.PEM)


def sns(message: Any, **changes: Any) -> dict[str, Any]:
    """Return an envelope as Amazon signs it; `changes` are made before, those under `after` afterwards."""
    after = changes.pop("after", {})
    kind = changes.get("Type", "Notification")
    envelope = {
        "Type": kind, "MessageId": "m-1", "TopicArn": TOPIC, "Message": json.dumps(message),
        "Timestamp": clock.now().strftime("%Y-%m-%dT%H:%M:%S.000Z"), "SignatureVersion": "2",
        "SigningCertURL": CERTIFICATE, **changes,
    }  # fmt: skip
    names = ["Message", "MessageId", "Subject", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"]
    text = "".join(f"{name}\n{envelope[name]}\n" for name in names if name in envelope)
    envelope["Signature"] = b64encode(
        AMAZON.sign(text.encode(), padding.PKCS1v15(), hashes.SHA256())
    ).decode()
    return envelope | after


def ses_bounce(address: str = "ada@example.org", **said: Any) -> dict[str, Any]:
    return {
        "notificationType": "Bounce",
        "mail": {"source": "news@example.org", "messageId": "0100-ses", "destination": [address]},
        "bounce": {
            "bounceType": "Permanent", "bounceSubType": "General",
            "bouncedRecipients": [
                {"emailAddress": address, "status": "5.1.1", "diagnosticCode": "smtp; 550 5.1.1 unknown"}
            ],
            **said,
        },
    }  # fmt: skip


def post_ses(client: FlaskClient, envelope: dict[str, Any]) -> int:
    return client.post("/bounces/ses", data=json.dumps(envelope), content_type="text/plain").status_code


def post_postmark(client: FlaskClient, login: str = LOGIN, **event: Any) -> int:
    headers = {"Authorization": "Basic " + b64encode(login.encode()).decode()}
    given = {"RecordType": "Bounce", "Type": "HardBounce", "Email": "ada@example.org", **event}
    return client.post("/bounces/postmark", json=given, headers=headers).status_code


def mailgun(token: str = "t1", key: str = MAILGUN, at: float = 0, **event: Any) -> dict[str, Any]:
    timestamp = str(int(time.time() + at))
    signature = hmac.new(key.encode(), f"{timestamp}{token}".encode(), hashlib.sha256).hexdigest()
    about = {
        "event": "failed", "severity": "permanent", "reason": "bounce", "recipient": "ada@example.org",
        "delivery-status": {"code": 550, "message": "550 5.1.1 no such user"}, **event,
    }  # fmt: skip
    return {
        "signature": {"timestamp": timestamp, "token": token, "signature": signature},
        "event-data": about,
    }


def post_mailgun(client: FlaskClient, document: dict[str, Any]) -> int:
    return client.post("/bounces/mailgun", json=document).status_code


def post_sendgrid(client: FlaskClient, *events: dict[str, Any], key: Any = SENDGRID, at: float = 0) -> int:
    body, timestamp = json.dumps(events).encode(), str(int(time.time() + at))
    signature = key.sign(timestamp.encode() + body, ec.ECDSA(hashes.SHA256()))
    headers = {
        "X-Twilio-Email-Event-Webhook-Signature": b64encode(signature).decode(),
        "X-Twilio-Email-Event-Webhook-Timestamp": timestamp,
    }
    return client.post(
        "/bounces/sendgrid", data=body, headers=headers, content_type="application/json"
    ).status_code


def post_signed(
    client: FlaskClient, body: bytes, key: str = SECRET, at: float = 0, kind: str = "application/json"
) -> int:
    timestamp = str(int(time.time() + at))
    mac = hmac.new(key.encode(), timestamp.encode() + b"." + body, hashlib.sha256).hexdigest()
    headers = {"X-Blog-Signature": f"t={timestamp},v1={mac}"}
    return client.post("/bounces/signed", data=body, headers=headers, content_type=kind).status_code


def own(**report: Any) -> bytes:
    return json.dumps({"reports": [{"kind": "bounce", "status": "5.1.1", **report}]}).encode()


def sendgrid_bounce(identifier: str) -> dict[str, Any]:
    return {"event": "bounce", "email": "ada@example.org", "status": "5.1.1", "smtp-id": identifier}


COMPLAINT = {
    "eventType": "Complaint", "mail": {},
    "complaint": {"complainedRecipients": [{"emailAddress": "ada@example.org"}]},
}  # fmt: skip


@pytest.mark.parametrize(
    "post",
    [
        lambda c, i: post_ses(c, sns(ses_bounce())),
        lambda c, i: post_postmark(c, Details="550 5.1.1 unknown"),
        lambda c, i: post_mailgun(
            c, mailgun(message={"headers": {"message-id": i.strip("<>")}}, recipient="")
        ),
        lambda c, i: post_sendgrid(c, sendgrid_bounce(i)),
        lambda c, i: post_signed(c, own(message_id=i)),
    ],
    ids=["ses", "postmark", "mailgun", "sendgrid", "signed"],
)
def test_every_provider_is_believed_with_its_own_signature_and_only_once(
    client: FlaskClient, services: Services, issue: int, post: Callable[[FlaskClient, str], int]
) -> None:
    identifier = delivery(services).message_id
    assert post(client, identifier) == 200
    assert (status(services), status(services, "bob")) == ("bounced", "active")
    assert counts(services, issue) == {"eligible": 2, "accepted": 1, "bounced": 1}
    before = everything(services)
    assert post(client, identifier) == 200
    assert everything(services) == before


@pytest.mark.parametrize(
    "post",
    [
        lambda c: post_ses(c, sns(COMPLAINT)),
        lambda c: post_postmark(c, RecordType="SpamComplaint", Type="SpamComplaint"),
        lambda c: post_mailgun(c, mailgun(event="complained")),
        lambda c: post_sendgrid(c, {"event": "spamreport", "email": "ada@example.org"}),
        lambda c: post_signed(c, own(kind="complaint", address="ada@example.org")),
    ],
    ids=["ses", "postmark", "mailgun", "sendgrid", "signed"],
)
def test_every_providers_complaint_ends_mail(
    client: FlaskClient, services: Services, post: Callable[[FlaskClient], int]
) -> None:
    assert post(client) == 200
    assert status(services) == "complained"


def test_a_certificate_is_fetched_once_and_kept(client: FlaskClient, fetched: list[str]) -> None:
    for _ in range(2):
        assert post_ses(client, sns(ses_bounce())) == 200
    assert fetched == [CERTIFICATE]


def test_what_a_signed_call_names_by_our_tag_is_found_whatever_address_it_says(
    client: FlaskClient, services: Services
) -> None:
    tagged = {"mail": {"source": path(services).for_delivery(delivery(services, "bob").id)}}
    assert post_ses(client, sns(ses_bounce("somebody@else.example") | tagged)) == 200
    assert (status(services, "bob"), status(services, "ada")) == ("bounced", "active")


@pytest.mark.parametrize(
    ("post", "expected"),
    [
        (lambda c: post_ses(c, sns(ses_bounce(), after={"Message": json.dumps(ses_bounce("b@x.org"))})), 403),
        (lambda c: post_ses(c, sns(ses_bounce(), TopicArn=TOPIC.replace("bounces", "others"))), 403),
        (lambda c: post_ses(c, sns(ses_bounce(), SignatureVersion="1")), 403),
        (lambda c: post_ses(c, sns(ses_bounce(), Timestamp="2020-01-01T00:00:00.000Z")), 403),
        (lambda c: post_ses(c, sns(ses_bounce(), SigningCertURL="https://evil.example/a.pem")), 403),
        (lambda c: post_ses(c, sns(ses_bounce(), SigningCertURL=ELSEWHERE)), 403),
        (lambda c: post_ses(c, sns(ses_bounce(), SigningCertURL=f"{HOST}@evil.example/x.pem")), 403),
        (lambda c: post_ses(c, sns(ses_bounce(), after={"Signature": "AAAA"})), 403),
        (lambda c: post_ses(c, {"Type": "Notification"}), 403),
        (lambda c: post_postmark(c, "postmark:another"), 403),
        (lambda c: c.post("/bounces/postmark", json={"Type": "HardBounce"}).status_code, 403),
        (lambda c: post_mailgun(c, mailgun(key="another")), 406),
        (lambda c: post_mailgun(c, mailgun(at=-90_000)), 406),
        (lambda c: post_mailgun(c, {"event-data": {"event": "complained"}}), 406),
        (lambda c: post_sendgrid(c, {"event": "bounce"}, key=ec.generate_private_key(ec.SECP256R1())), 403),
        (lambda c: post_sendgrid(c, {"event": "bounce"}, at=-90_000), 403),
        (lambda c: c.post("/bounces/sendgrid", json=[]).status_code, 403),
        (lambda c: post_signed(c, own(address="ada@example.org"), key="x" * 32), 403),
        (lambda c: post_signed(c, own(address="ada@example.org"), at=-400), 403),
        (lambda c: post_signed(c, own(address="ada@example.org"), at=400), 403),
        (lambda c: post_signed(c, b"[" * 100_000), 403),
        (lambda c: c.post("/bounces/signed", data=own(address="ada@example.org")).status_code, 403),
        (lambda c: c.post("/bounces/nobody", json={}).status_code, 404),
        (lambda c: c.get("/bounces/ses").status_code, 405),
    ],
)  # fmt: skip
def test_whoever_does_not_show_who_they_are_changes_nothing(
    client: FlaskClient, services: Services, post: Callable[[FlaskClient], int], expected: int
) -> None:
    before = everything(services)
    assert post(client) == expected
    assert everything(services) == before


@pytest.mark.parametrize(
    "pem", [certificate(days=-1), certificate("evil.example"), b"nonsense"], ids=range(3)
)
def test_a_certificate_that_is_over_or_made_out_to_another_is_worthless(
    app: Flask, client: FlaskClient, services: Services, pem: bytes
) -> None:
    app.config[views.FETCH] = lambda _address: pem
    assert post_ses(client, sns(ses_bounce())) == 403
    assert status(services) == "active"


def test_amazon_is_asked_to_call_again_when_its_certificate_cannot_be_had(
    app: Flask, client: FlaskClient, services: Services
) -> None:
    def out_of_reach(_address: str) -> bytes:
        raise TimeoutError

    app.config[views.FETCH] = out_of_reach
    assert post_ses(client, sns(ses_bounce())) == 503
    assert status(services) == "active"


def test_a_subscription_is_confirmed_at_amazon_and_nowhere_else(
    client: FlaskClient, fetched: list[str]
) -> None:
    confirm = {
        "Type": "SubscriptionConfirmation",
        "Token": "t",
        "SubscribeURL": f"{HOST}/?Action=Confirm&Token=t",
    }
    assert post_ses(client, sns("please confirm", **confirm)) == 200
    assert fetched == [CERTIFICATE, confirm["SubscribeURL"]]
    away = confirm | {"SubscribeURL": "https://169.254.169.254/latest/meta-data"}
    assert post_ses(client, sns("please confirm", **away)) == 403
    assert len(fetched) == 2


def test_a_token_of_mailguns_is_good_once_since_it_does_not_cover_what_it_carries(
    client: FlaskClient, services: Services
) -> None:
    first = mailgun(event="opened")
    assert post_mailgun(client, first) == 200
    before = everything(services)
    assert post_mailgun(client, first | {"event-data": mailgun()["event-data"]}) == 200
    assert everything(services) == before


@pytest.mark.parametrize(
    "post",
    [
        lambda c: post_ses(c, sns(ses_bounce(bounceType="Transient", bounceSubType="General"))),
        lambda c: post_ses(c, sns({"notificationType": "Delivery", "mail": {}})),
        lambda c: post_postmark(c, Type="Blocked"),
        lambda c: post_postmark(c, Type="AutoResponder"),
        lambda c: post_mailgun(c, mailgun(severity="temporary")),
        lambda c: post_mailgun(c, mailgun(**{"delivery-status": {"code": 550, "message": "5.7.1 blocked"}})),
        lambda c: post_sendgrid(c, {"event": "bounce", "type": "blocked", "email": "ada@example.org"}),
        lambda c: post_sendgrid(c, {"event": "delivered", "email": "ada@example.org"}, {"event": 7}),
        lambda c: post_signed(c, own(address="ada@example.org", status="5.7.26")),
        lambda c: post_signed(c, own(address="stranger@example.org")),
        lambda c: post_signed(c, b'{"reports": [7, null, {"kind": "bounce", "address": {}}]}'),
    ],
)
def test_what_is_no_reason_to_stop_stops_nothing(
    client: FlaskClient, services: Services, post: Callable[[FlaskClient], int]
) -> None:
    assert post(client) == 200
    assert status(services) == "active"


def test_a_program_of_yours_may_post_the_returned_mail_itself_and_keys_can_be_changed(
    client: FlaskClient, services: Services
) -> None:
    raw = dsn(path(services).for_delivery(delivery(services).id))
    assert post_signed(client, raw, key=OLDER, kind="message/rfc822") == 200
    assert status(services) == "bounced"


def test_a_bounce_that_comes_too_early_is_asked_for_again(client: FlaskClient, services: Services) -> None:
    with services.database.transaction() as session:
        session.execute(update(Delivery).values(state=DeliveryState.HANDING_OVER))
    tag = {"envelope": {"sender": path(services).for_delivery(delivery(services).id)}}
    document = mailgun(**tag)
    assert post_mailgun(client, document) == 503
    with services.database.transaction() as session:
        session.execute(update(Delivery).values(state=DeliveryState.ACCEPTED))
    assert post_mailgun(client, document) == 200
    assert status(services) == "bounced"


@pytest.mark.sqlite
def test_a_body_above_a_megabyte_is_refused(client: FlaskClient) -> None:
    assert post_signed(client, b"x" * (views.LARGEST + 1)) == 413


@pytest.mark.sqlite
def test_who_is_refused_too_often_is_heard_no_more_for_an_hour(
    client: FlaskClient, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(views, "REFUSED_AN_HOUR", 3)
    found = [post_postmark(client, "postmark:wrong") for _ in range(4)]
    assert found == [403, 403, 403, 429]
    assert post_postmark(client) == 429
    client.environ_base["REMOTE_ADDR"] = "198.51.100.7"
    assert post_postmark(client) == 200


@pytest.mark.sqlite
def test_a_door_takes_so_many_calls_an_hour(client: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(views, "MOST_AN_HOUR", 2)
    assert [post_postmark(client) for _ in range(3)] == [200, 200, 429]


@pytest.mark.sqlite
def test_a_door_without_its_setting_is_not_there(
    settings: Settings, database: Database, tmp_path: Path
) -> None:
    app = create_app(settings)
    client = app.test_client(use_cookies=False)
    client.environ_base["HTTP_HOST"] = "news.example.org"
    for door in ("ses", "postmark", "mailgun", "sendgrid", "signed", "command", "mailbox"):
        assert client.post(f"/bounces/{door}", json={}).status_code == 404
    app.extensions["blog"].database.dispose()
