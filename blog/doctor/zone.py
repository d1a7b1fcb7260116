"""What the domain name system says: texts, mail exchangers, addresses and names of addresses."""

from collections.abc import Sequence
from functools import cached_property
from ipaddress import ip_address

import dns.exception
import dns.resolver
import dns.reversename
from dns.rdtypes.ANY.MX import MX
from dns.rdtypes.ANY.TXT import TXT

SECONDS = 5.0


class NoAnswer(Exception):
    """The name servers did not answer: nothing can be said of the name."""


class Zone:
    """Asks name servers, those of the machine or one that is given as `address` or `address:port`."""

    def __init__(self, nameserver: str = "") -> None:
        self._given = _split(nameserver) if nameserver else None
        self._kept: dict[tuple[str, str], Sequence[object]] = {}

    def texts(self, name: str) -> list[str]:
        """Return the TXT records of a name, the pieces of each joined (RFC 7208 §3.3)."""
        return [
            b"".join(record.strings).decode("utf-8", "replace")
            for record in self._ask(name, "TXT")
            if isinstance(record, TXT)
        ]

    def exchangers(self, name: str) -> list[str]:
        """Return who takes mail for a name, preferred first; [""] says that nobody does (RFC 7505)."""
        records = [record for record in self._ask(name, "MX") if isinstance(record, MX)]
        records.sort(key=lambda record: record.preference)
        return [str(record.exchange).rstrip(".") for record in records]

    def addresses(self, name: str) -> list[str]:
        """Return the IPv4 and IPv6 addresses of a name."""
        return [str(record) for kind in ("A", "AAAA") for record in self._ask(name, kind)]

    def names(self, address: str) -> list[str]:
        """Return the names of an address (PTR)."""
        return [
            str(found).rstrip(".") for found in self._ask(str(dns.reversename.from_address(address)), "PTR")
        ]

    @cached_property
    def _resolver(self) -> dns.resolver.Resolver:
        found = dns.resolver.Resolver(configure=self._given is None)
        found.lifetime = SECONDS
        if self._given:
            found.nameservers, found.port = [self._given[0]], self._given[1]
        return found

    def _ask(self, name: str, kind: str) -> Sequence[object]:
        if (name, kind) not in self._kept:
            self._kept[name, kind] = self._asked(name, kind)
        return self._kept[name, kind]

    def _asked(self, name: str, kind: str) -> Sequence[object]:
        try:
            return list(self._resolver.resolve(name, kind, search=False))
        except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
            return []
        except (dns.exception.DNSException, OSError, ValueError) as error:
            raise NoAnswer(f"{name} {kind}: {type(error).__name__}") from None


def _split(nameserver: str) -> tuple[str, int]:
    """Return the address and port of `192.0.2.1`, `192.0.2.1:53`, `2001:db8::1` or `[2001:db8::1]:53`."""
    bare = nameserver.endswith("]") or (nameserver.count(":") != 1 and not nameserver.startswith("["))
    address, _, port = (nameserver, "", "53") if bare else nameserver.rpartition(":")
    return str(ip_address(address.strip("[]"))), int(port)
