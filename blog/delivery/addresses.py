"""E-mail addresses: what a person typed, what goes on the wire, and what makes two spellings one address.

No name server is asked: a sign-up must not wait for one, and the confirmation mail proves more than it could.
"""

import unicodedata
from dataclasses import dataclass

import email_validator
from email_validator import EmailNotValidError, ValidatedEmail, validate_email

from blog.language import N_

LONGEST = 254  # RFC 5321 §4.5.3.1.3 allows 256 for a path, which includes the angle brackets.
#: Special-use names that people develop with; the others (`.invalid`, `.onion`, …) are typing errors.
DEVELOPMENT = {"test", "local", "localhost"}
email_validator.SPECIAL_USE_DOMAIN_NAMES = [
    name for name in email_validator.SPECIAL_USE_DOMAIN_NAMES if name not in DEVELOPMENT
]

INCOMPLETE = N_("That address looks incomplete. Use the form name@example.com.")
TOO_LONG = N_("That address is too long: it may have 254 characters.")
WRONG = N_("That address does not look right. Check it for typing errors; the form is name@example.com.")


class BadAddress(ValueError):
    """The address cannot be used; the message says so to the person who typed it."""


@dataclass(frozen=True)
class Address:
    """An address to show (`email`), to send to (`wire`, its domain an A-label) and to compare (`key`)."""

    email: str
    wire: str
    key: str


def parse(typed: str) -> Address:
    """Return the address a person typed; raise `BadAddress` with a message for that person."""
    typed = typed.strip(" \t\u00a0")
    local, _, domain = typed.rpartition("@")
    if len(typed) > LONGEST:
        raise BadAddress(TOO_LONG)
    if not local or not _is_complete(domain):
        raise BadAddress(INCOMPLETE)
    valid = _validated(typed, globally=domain.lower() != "localhost")
    # Full-width letters and ligatures look like an address that they are not (UTS #39 §3.3).
    if unicodedata.normalize("NFKC", valid.local_part) != valid.local_part:
        raise BadAddress(WRONG)
    return _address(valid)


def masked(email: str) -> str:
    """Return an address as its owner will know it again and nobody else can use it: `j•••@example.com`."""
    local, _, domain = email.rpartition("@")
    return f"{local[:1]}•••@{domain}"


def _address(valid: ValidatedEmail) -> Address:
    domain = str(valid.ascii_domain).lower()
    wire = f"{valid.local_part}@{domain}"
    key = unicodedata.normalize("NFC", valid.local_part.casefold()) + "@" + domain
    return Address(email=valid.normalized, wire=wire, key=key)


def _is_complete(domain: str) -> bool:
    if domain.lower() == "localhost":
        return True
    # The last label of a public name has two letters or more, and is never a number (RFC 3696 §2).
    name, _, last = domain.rpartition(".")
    return bool(name) and len(last) > 1 and not last.isdigit()


def _validated(typed: str, globally: bool) -> ValidatedEmail:
    try:
        return validate_email(
            typed,
            check_deliverability=False,
            strict=True,
            allow_display_name=False,
            globally_deliverable=globally,
        )
    except EmailNotValidError:
        raise BadAddress(WRONG) from None
