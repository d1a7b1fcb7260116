"""SPF (RFC 7208): one record, ten lookups at most, and our own addresses among those it allows."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from ipaddress import ip_address, ip_network

from blog.doctor.zone import Zone

#: RFC 7208 §4.6.4; every term that asks the name servers counts, in included records too.
MOST_LOOKUPS, MOST_VOID = 10, 2
_ASKING = ("include", "a", "mx", "ptr", "exists", "redirect")


class Broken(Exception):
    """The record cannot be read, so that receivers take it as an error of ours."""


@dataclass
class Spf:
    """What a record allows; `lookups` and `void` are what reading all of it costs."""

    ending: str = "?"
    lookups: int = 0
    void: int = 0
    networks: list[str] = field(default_factory=list)

    def allows(self, address: str) -> bool:
        """Return whether mail from an address passes."""
        return self.ending == "+" or any(
            ip_address(address) in ip_network(network, strict=False) for network in self.networks
        )


def records(zone: Zone, domain: str) -> list[str]:
    """Return the records of a domain that claim to be SPF; exactly one is right."""
    return [text for text in zone.texts(domain) if text.lower().split(" ")[0] == "v=spf1"]


def read(zone: Zone, domain: str) -> Spf:
    """Return what a domain's record allows, other records that it refers to included."""
    spf = Spf()
    spf.ending = _read(zone, domain, spf) or "?"
    return spf


def _read(zone: Zone, domain: str, spf: Spf) -> str:
    """Add the networks of a record; return the sign of its `all`, or "" if it has none."""
    found = records(zone, domain)
    if len(found) != 1:
        raise Broken(f"{domain} has {len(found)} SPF records")
    ending, elsewhere = "", ""
    for sign, name, value in _terms(found[0], domain):
        if name in _ASKING:
            spf.lookups += 1
        if spf.lookups > MOST_LOOKUPS:
            return ending
        if name == "all":
            return sign
        if name == "redirect":
            elsewhere = value
        elif sign == "+":
            _add(zone, domain, name, value, spf)
    return _read(zone, elsewhere, spf) if elsewhere else ending


def _terms(record: str, domain: str) -> Iterator[tuple[str, str, str]]:
    for term in record.lower().split()[1:]:
        sign = term[0] if term[0] in "+-~?" else "+"
        bare = term.lstrip("+-~?")
        name = bare.replace("=", ":").replace("/", ":").split(":")[0]
        value = bare[len(name) :].lstrip(":=")
        if name not in ("all", "ip4", "ip6", "exp", *_ASKING) and "=" not in term:
            raise Broken(f"{domain}: the term “{term[:40]}” is none of SPF's")
        yield sign, name, value


def _add(zone: Zone, domain: str, name: str, value: str, spf: Spf) -> None:
    if name in ("ip4", "ip6"):
        try:
            spf.networks.append(str(ip_network(value, strict=False)))
        except ValueError:
            raise Broken(f"{domain}: “{value[:40]}” is no network") from None
    elif name == "include":
        _read(zone, value, spf)
    elif name in ("a", "mx"):
        host, _, length = value.partition("/")
        hosts = [host or domain] if name == "a" else zone.exchangers(host or domain)
        addresses = [address for each in hosts for address in zone.addresses(each)]
        spf.void += not addresses
        spf.networks += [
            f"{address}/{length.split('/')[0]}" if length and "." in address else address
            for address in addresses
        ]
