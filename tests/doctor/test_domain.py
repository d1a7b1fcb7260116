"""The sending domain, asked of a real name server: each fault of SPF, DKIM, DMARC, MX and PTR is named."""

import base64
from contextlib import suppress

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given
from hypothesis import strategies as st

from blog.doctor import dmarc, domain, spf
from blog.doctor.domain import Sending
from blog.doctor.findings import Finding, Verdict
from blog.doctor.zone import NoAnswer, Zone
from tests.doctor.nameserver import Records, nameserver

DOMAIN, ADDRESS = "news.example.org", "192.0.2.7"
SPF, DKIM = (DOMAIN, "TXT"), (f"s1._domainkey.{DOMAIN}", "TXT")
DMARC = ("_dmarc.example.org", "TXT")


def public_key(bits: int) -> str:
    key = rsa.generate_private_key(65537, bits).public_key()
    return base64.b64encode(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).decode()


KEY = public_key(2048)
GOOD: Records = {
    (DOMAIN, "TXT"): ['"v=spf1 include:spf.relay.example -all"', '"other=1"'],
    ("spf.relay.example", "TXT"): ['"v=spf1 ip4:192.0.2.0/24 ip6:2001:db8::/32 ~all"'],
    DKIM: [f'"v=DKIM1; k=rsa; p={KEY[:200]}" "{KEY[200:]}"'],
    DMARC: ['"v=DMARC1; p=reject; rua=mailto:d@example.org"'],
    (DOMAIN, "MX"): ["10 mx.example.org."],
    ("mx.example.org", "A"): ["192.0.2.9"],
    ("7.2.0.192.in-addr.arpa", "PTR"): ["out.example.org."],
    ("out.example.org", "A"): [ADDRESS],
}
SENDING = Sending(DOMAIN, DOMAIN, DOMAIN, ["s1"], [ADDRESS])


def examined(changes: Records, sending: Sending = SENDING) -> list[Finding]:
    with nameserver(GOOD | changes) as where:
        return list(domain.check(Zone(where), sending))


def test_a_domain_in_order_is_good_line_by_line() -> None:
    found = examined({})
    assert {finding.verdict for finding in found} == {Verdict.GOOD}, found
    assert [finding.name for finding in found] == ["spf", "dkim", "dmarc", "mx", "ptr"]
    assert "RSA of 2048 bits" in found[1].found


@pytest.mark.parametrize(
    ("changes", "name", "verdict", "words"),
    [
        ({SPF: []}, "spf", "wrong", "has no SPF record"),
        ({SPF: ['"v=spf1 -all"', '"v=spf1 +all"']}, "spf", "wrong", "has 2 SPF records"),
        ({SPF: ['"v=spf1 +all"']}, "spf", "wrong", "allows everybody"),
        ({SPF: ['"v=spf1 ip4:198.51.100.1 -all"']}, "spf", "wrong", f"does not allow {ADDRESS}"),
        ({SPF: ['"v=spf1 ip4:192.0.2.7"']}, "spf", "warning", "does not say what of all others"),
        ({SPF: ['"v=spf1 include:gone.example -all"']}, "spf", "wrong", "gone.example has 0 SPF"),
        ({SPF: ['"v=spf1 ipv4:192.0.2.7 -all"']}, "spf", "wrong", "none of SPF's"),
        ({SPF: ['"v=spf1 ip4:299.0.2.7 -all"']}, "spf", "wrong", "is no network"),
        ({SPF: [f'"v=spf1 include:{DOMAIN} -all"']}, "spf", "wrong", "more than 10 lookups"),
        ({SPF: ['"v=spf1 a:x.example a:y.example a:z.example ip4:192.0.2.7"']}, "spf", "wrong", "no address"),
        ({DKIM: []}, "dkim", "wrong", "there is no key"),
        ({DKIM: ['"v=DKIM1; p="']}, "dkim", "wrong", "is revoked"),
        ({DKIM: ['"v=DKIM1; p=!!"']}, "dkim", "wrong", "cannot be read"),
        ({DKIM: [f'"p={public_key(1024)}"']}, "dkim", "warning", "1024 bits"),
        ({DMARC: []}, "dmarc", "wrong", "has no DMARC record"),
        ({DMARC: ['"v=DMARC1; p=none"']}, "dmarc", "warning", "p=none"),
        ({DMARC: ['"v=DMARC1; p=block"']}, "dmarc", "wrong", "asks for “block”"),
        ({(DOMAIN, "MX"): ["0 ."]}, "mx", "wrong", "takes no mail"),
        ({(DOMAIN, "MX"): []}, "mx", "wrong", "takes no mail"),
        ({("mx.example.org", "A"): []}, "mx", "wrong", "mx.example.org has no address"),
        ({("7.2.0.192.in-addr.arpa", "PTR"): []}, "ptr", "wrong", "has no name"),
        ({("out.example.org", "A"): ["192.0.2.99"]}, "ptr", "wrong", "which has another address"),
    ],
)  # fmt: skip
def test_each_fault_is_named_with_why_and_how_to_mend_it(
    changes: Records, name: str, verdict: str, words: str
) -> None:
    found = [finding for finding in examined(changes) if finding.verdict is not Verdict.GOOD]
    assert [(finding.name, finding.verdict.value) for finding in found] == [(name, verdict)], found
    assert words in found[0].found
    assert found[0].why
    assert found[0].mend


def test_a_key_of_our_own_must_be_the_one_that_is_published() -> None:
    ours = Sending(DOMAIN, DOMAIN, DOMAIN, ["s1"], [ADDRESS], keys={"s1": KEY})
    assert [f.verdict for f in examined({}, ours) if f.name == "dkim"] == [Verdict.GOOD]
    theirs = Sending(DOMAIN, DOMAIN, DOMAIN, ["s1"], [ADDRESS], keys={"s1": public_key(2048)})
    assert ["not the one we sign with" in f.found for f in examined({}, theirs) if f.name == "dkim"] == [True]


def test_name_servers_that_say_nothing_are_a_warning_and_no_verdict(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("blog.doctor.zone.SECONDS", 0.3)
    with nameserver(GOOD, silent=frozenset({"_dmarc.example.org"})) as where:
        found = [f for f in domain.check(Zone(where), SENDING) if f.verdict is not Verdict.GOOD]
    assert [(finding.name, finding.verdict) for finding in found] == [("dmarc", Verdict.WARNING)]
    assert "did not answer" in found[0].found


@pytest.mark.parametrize(
    ("records", "author", "organisation"),
    [
        ({"example.org": "p=none"}, "a.b.example.org", "example.org"),
        ({"b.example.org": "p=none", "example.org": "p=none"}, "a.b.example.org", "example.org"),
        ({"b.example.org": "p=none; psd=n", "example.org": "p=none"}, "a.b.example.org", "b.example.org"),
        ({"org.example": "p=none; psd=y"}, "a.b.org.example", "b.org.example"),
        ({}, "a.b.example.org", "a.b.example.org"),
    ],
)
def test_whose_a_domain_is_is_told_by_the_records_on_the_way_up(
    records: dict[str, str], author: str, organisation: str
) -> None:
    zone = {(f"_dmarc.{name}", "TXT"): [f'"v=DMARC1; {tags}"'] for name, tags in records.items()}
    with nameserver(zone) as where:
        assert dmarc.organisation(Zone(where), author) == organisation


def test_relaxed_and_strict_alignment_differ_below_one_organisation() -> None:
    with nameserver({DMARC: ['"v=DMARC1; p=reject; sp=quarantine"']}) as where:
        zone = Zone(where)
        assert dmarc.aligned(zone, "news.example.org", "bounces.example.org", strict=False)
        assert not dmarc.aligned(zone, "news.example.org", "bounces.example.org", strict=True)
        assert not dmarc.aligned(zone, "news.example.org", "relay.example", strict=False)
        policy = dmarc.policy(zone, "news.example.org")
        assert policy is not None
        assert policy.asked_of("news.example.org") == "quarantine"
        assert policy.asked_of("example.org") == "reject"


def test_an_envelope_of_another_organisation_is_told() -> None:
    elsewhere: Records = {
        ("bounces.relay.example", "TXT"): ['"v=spf1 ip4:192.0.2.7 -all"'],
        ("bounces.relay.example", "MX"): ["5 mx.example.org."],
    }
    found = examined(elsewhere, Sending(DOMAIN, "bounces.relay.example", DOMAIN, ["s1"], [ADDRESS]))
    assert ["not aligned" in f.found for f in found if f.verdict is not Verdict.GOOD] == [True]


def test_a_signature_of_another_organisation_is_told() -> None:
    elsewhere: Records = {("s1._domainkey.relay.example", "TXT"): [f'"p={KEY[:200]}" "{KEY[200:]}"']}
    found = examined(elsewhere, Sending(DOMAIN, DOMAIN, "relay.example", ["s1"], [ADDRESS]))
    assert ["DKIM does not count" in f.why for f in found if f.verdict is not Verdict.GOOD] == [True]


@given(st.text(st.characters(min_codepoint=32, max_codepoint=126, exclude_characters='"\\;'), max_size=120))
def test_no_record_makes_the_examination_fail(words: str) -> None:
    class Said(Zone):
        def _asked(self, name: str, kind: str) -> list[object]:
            raise NoAnswer(name)

        def texts(self, name: str) -> list[str]:
            return (
                [f"v=spf1 {words}"]
                if name == DOMAIN
                else [f"v=DMARC1; {words}"]
                if "_dmarc" in name
                else [words]
            )

    assert list(domain.check(Said("192.0.2.1"), SENDING))
    with suppress(spf.Broken, NoAnswer):
        spf.read(Said("192.0.2.1"), DOMAIN)


@pytest.mark.parametrize(
    "given_as", ["192.0.2.1", "192.0.2.1:5353", "2001:db8::1", "[2001:db8::1]", "[2001:db8::1]:5353"]
)
def test_a_name_server_is_given_with_or_without_its_port(given_as: str) -> None:
    assert Zone(given_as)
