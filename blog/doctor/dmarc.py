"""DMARC (RFC 9989): a domain's policy, found by walking up its names, and whether domains are aligned."""

from dataclasses import dataclass

from blog.doctor.zone import Zone

#: RFC 9989 §4.10: a name of more labels is cut, so that nobody can make us ask for ever.
MOST_LABELS = 8


@dataclass(frozen=True)
class Policy:
    """What is published at `domain`: its tags, by name."""

    domain: str
    tags: dict[str, str]

    def asked_of(self, domain: str) -> str:
        """Return what receivers are to do with mail of a domain that fails: none, quarantine or reject."""
        policy = self.tags.get("p", "none")
        return policy if domain == self.domain else self.tags.get("sp", policy)


def policy(zone: Zone, domain: str) -> Policy | None:
    """Return the policy that holds for a domain: its own, or that of the organisation it belongs to."""
    found = [record for name in _walk(domain) if (record := _at(zone, name))]
    if not found or found[0].domain == domain:
        return found[0] if found else None
    home = organisation(zone, domain)
    return next((record for record in found if record.domain == home), found[-1])


def organisation(zone: Zone, domain: str) -> str:
    """Return the domain that a name belongs to, as the records on the way up tell it (RFC 9989 §4.10.2)."""
    found = [record for name in _walk(domain) if (record := _at(zone, name))]
    for record in found:
        if record.tags.get("psd") == "n":
            return record.domain
        if record.tags.get("psd") == "y" and record.domain != domain:
            labels = domain.split(".")
            return ".".join(labels[len(labels) - record.domain.count(".") - 2 :])
    return found[-1].domain if found else domain


def aligned(zone: Zone, author: str, other: str, strict: bool) -> bool:
    """Return whether a domain that SPF or DKIM vouches for speaks for the domain of the From line."""
    if author == other:
        return True
    return not strict and organisation(zone, author) == organisation(zone, other)


def _walk(domain: str) -> list[str]:
    labels = domain.lower().rstrip(".").split(".")
    names = [".".join(labels)]
    rest = labels[1:] if len(labels) < MOST_LABELS else labels[-(MOST_LABELS - 1) :]
    while rest:
        names.append(".".join(rest))
        rest = rest[1:]
    return names


def _at(zone: Zone, domain: str) -> Policy | None:
    found = [text for text in zone.texts(f"_dmarc.{domain}") if text.replace(" ", "").startswith("v=DMARC1")]
    if len(found) != 1:
        return None  # none, or several, which count as none
    pairs = (item.partition("=") for item in found[0].split(";") if "=" in item)
    return Policy(domain, {name.strip().lower(): value.strip().lower() for name, _, value in pairs})
