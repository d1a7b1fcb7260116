"""The domain that mail comes from: who may send for it (SPF, DKIM, DMARC), and whether it takes answers."""

import base64
import binascii
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_der_public_key

from blog.doctor import dmarc, spf
from blog.doctor.findings import Finding, good, skipped, warning, wrong
from blog.doctor.zone import NoAnswer, Zone

SMALLEST_RSA, USUAL_RSA = 1024, 2048
_UNPROVEN = "without it providers refuse bulk mail, or file it as junk"


@dataclass(frozen=True)
class Sending:
    """How our mail leaves: the domains of its From line, envelope and signature, and where it comes from."""

    author: str
    envelope: str
    signer: str
    selectors: Sequence[str] = ()
    addresses: Sequence[str] = ()
    #: Our own keys by selector, as they stand in the record, when the application itself signs.
    keys: dict[str, str] | None = None


def check(zone: Zone, sending: Sending) -> Iterator[Finding]:
    """Yield what is to be said of the domain."""
    for name, ask in (("spf", _spf), ("dkim", _dkim), ("dmarc", _dmarc), ("mx", _mx), ("ptr", _ptr)):
        try:
            yield from ask(zone, sending)
        except NoAnswer as silence:
            yield warning(
                name,
                f"the name servers did not answer for {silence}",
                "what they do not tell us they do not tell the receivers of our mail either",
                "try again; name another server with --nameserver",
            )


def _spf(zone: Zone, sending: Sending) -> Iterator[Finding]:
    domain = sending.envelope
    found = spf.records(zone, domain)
    if not found:
        mend = f'publish a TXT record at {domain}, such as "v=spf1 include:your-relay.example -all"'
        yield wrong("spf", f"{domain} has no SPF record", _UNPROVEN, mend)
        return
    if len(found) > 1:
        yield wrong(
            "spf", f"{domain} has {len(found)} SPF records", "receivers take none of them", "join them"
        )
        return
    try:
        allowed = spf.read(zone, domain)
    except spf.Broken as fault:
        yield wrong("spf", f"{fault}", "receivers take it as an error, and trust nothing", "mend the record")
        return
    yield from _allowed(domain, allowed, sending.addresses)


def _allowed(domain: str, allowed: spf.Spf, addresses: Sequence[str]) -> Iterator[Finding]:
    why = "receivers stop reading there and take the whole record as an error (RFC 7208, 4.6.4)"
    refused = [address for address in addresses if not allowed.allows(address)]
    if allowed.lookups > spf.MOST_LOOKUPS:
        mend = "take out services that no longer send for you, or name their networks as ip4: and ip6:"
        yield wrong("spf", f"{domain}: more than {spf.MOST_LOOKUPS} lookups", why, mend)
    elif allowed.void > spf.MOST_VOID:
        mend = "take out the names that do not exist any more"
        yield wrong("spf", f"{domain}: {allowed.void} of its names have no address", why, mend)
    elif allowed.ending == "+":
        mend = "end it with -all or ~all"
        yield wrong("spf", f"{domain} allows everybody (+all)", "anybody may send in your name", mend)
    elif refused:
        why = "mail that leaves from there fails SPF"
        yield wrong("spf", f"{domain} does not allow {', '.join(refused)}", why, "add it as ip4: or ip6:")
    elif allowed.ending == "?":
        mend = "end it with -all or ~all"
        yield warning(
            "spf", f"{domain} does not say what of all others", "forged mail passes as neutral", mend
        )
    else:
        said = f"; it allows {', '.join(addresses)}" if addresses else ""
        yield good(
            "spf", f"{domain}: one record, {allowed.lookups} lookups, ends with {allowed.ending}all{said}"
        )


def _dkim(zone: Zone, sending: Sending) -> Iterator[Finding]:
    if not sending.selectors:
        yield skipped("dkim", "your relay signs under a selector it told you; name it with --dkim-selector")
        return
    for selector in sending.selectors:
        yield _key(zone, f"{selector}._domainkey.{sending.signer}", (sending.keys or {}).get(selector))


def _key(zone: Zone, name: str, own: str | None) -> Finding:
    why = "signatures cannot be verified, and count as none"
    found = zone.texts(name)
    if not found:
        return wrong(
            "dkim", f"there is no key at {name}", why, "publish the TXT record your relay or docs name"
        )
    tags = {key.strip(): value for key, _, value in (item.partition("=") for item in found[0].split(";"))}
    key = "".join(tags.get("p", "").split())
    if len(found) > 1 or not key:
        state = "is revoked (p= is empty)" if len(found) == 1 else f"has {len(found)} records"
        return wrong("dkim", f"the key at {name} {state}", why, "leave exactly one record with a key")
    if own is not None and key != own:
        return wrong(
            "dkim", f"the key at {name} is not the one we sign with", why, "publish ours, or sign with theirs"
        )
    if tags.get("k", "rsa").strip() == "ed25519":
        return good("dkim", f"{name}: Ed25519")
    try:
        public = load_der_public_key(base64.b64decode(key, validate=True))
    except (ValueError, binascii.Error, UnsupportedAlgorithm):
        return wrong("dkim", f"the key at {name} cannot be read", why, "publish it again, in one piece")
    bits = public.key_size if isinstance(public, RSAPublicKey) else 0
    if bits < SMALLEST_RSA:
        return wrong(
            "dkim", f"{name}: {bits} bits", "receivers ignore keys this short (RFC 8301)", "use 2048 bits"
        )
    if bits < USUAL_RSA:
        return warning("dkim", f"{name}: {bits} bits", "it can be broken by the determined", "use 2048 bits")
    return good("dkim", f"{name}: RSA of {bits} bits")


def _dmarc(zone: Zone, sending: Sending) -> Iterator[Finding]:
    found = dmarc.policy(zone, sending.author)
    if found is None:
        mend = f'publish a TXT record at _dmarc.{sending.author}; begin with "v=DMARC1; p=none; rua=mailto:…"'
        yield wrong("dmarc", f"{sending.author} has no DMARC record", _UNPROVEN, mend)
        return
    asked = found.asked_of(sending.author)
    if asked not in ("none", "quarantine", "reject"):
        mend = "write p=none, p=quarantine or p=reject"
        yield wrong(
            "dmarc", f"_dmarc.{found.domain} asks for “{asked[:20]}”", "receivers know no such policy", mend
        )
    elif asked == "none":
        why = "forged mail in your name is delivered; it is where everybody begins"
        yield warning("dmarc", f"{found.domain}: p=none", why, "once reports look right, ask for quarantine")
    else:
        yield good("dmarc", f"{found.domain}: p={asked}")
    yield from _alignment(zone, sending, found)


def _alignment(zone: Zone, sending: Sending, found: dmarc.Policy) -> Iterator[Finding]:
    if sending.selectors and not dmarc.aligned(
        zone, sending.author, sending.signer, found.tags.get("adkim", "r") == "s"
    ):
        yield warning(
            "dmarc",
            f"the signature's domain {sending.signer} is not aligned with {sending.author}",
            "DKIM does not count for DMARC then; only SPF can carry it",
            "sign with the domain of the From line, or one it belongs to",
        )
    strict = found.tags.get("aspf", "r") == "s"
    if not dmarc.aligned(zone, sending.author, sending.envelope, strict):
        yield warning(
            "dmarc",
            f"the envelope's domain {sending.envelope} is not aligned with {sending.author}",
            "SPF does not count for DMARC then; only DKIM can carry it",
            "send from a name below the same domain, or see to it that DKIM signs for it",
        )


def _mx(zone: Zone, sending: Sending) -> Iterator[Finding]:
    for domain in dict.fromkeys((sending.author, sending.envelope)):
        hosts = zone.exchangers(domain)
        takes = bool(hosts and hosts != [""]) or (not hosts and bool(zone.addresses(domain)))
        if not takes:
            why = "answers and bounces are lost, and some receivers refuse senders that take no mail"
            yield wrong("mx", f"{domain} takes no mail", why, "publish an MX record")
        elif dead := [host for host in hosts if not zone.addresses(host)]:
            why = "mail to it is delayed or lost"
            yield wrong("mx", f"{domain}: {', '.join(dead)} has no address", why, "mend the MX record")
        else:
            yield good("mx", f"{domain}: {', '.join(hosts) or 'its own address'}")


def _ptr(zone: Zone, sending: Sending) -> Iterator[Finding]:
    if not sending.addresses:
        yield skipped("ptr", "where mail leaves the relay is not known here; name it with --outgoing")
    for address in sending.addresses:
        names = zone.names(address)
        if any(address in zone.addresses(name) for name in names):
            yield good("ptr", f"{address} is {names[0]}, and back")
            continue
        found = (
            f"{address} is called {names[0]}, which has another address"
            if names
            else f"{address} has no name"
        )
        why = "many receivers refuse mail from such an address outright"
        yield wrong("ptr", found, why, "have whoever gave you the address set its reverse name")
