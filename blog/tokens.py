"""Signed tokens, each bound to one purpose, checked against a ring of keys.

Three shapes. *Capability*: short and deterministic, `base64url(key id ‖ public id ‖ HMAC-SHA256/128)`, 44
characters, never expires; for links that must work for years (unsubscribe, preferences). *Timed*: carries a
payload and an issue time, expires; for confirmations. *Mark*: 16 letters and digits that prove that we wrote
the words they stand beside.
"""

import hashlib
import hmac
from base64 import b32encode, urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as Base64Error
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from itsdangerous import BadData, SignatureExpired, TimestampSigner

CAPABILITY_BYTES = 33
MAC_BYTES = 16
#: What a mark shows of its MAC: 80 bits, 16 letters, the same in capitals (a local part has room for 64).
MARK_BYTES = 10


class Purpose(StrEnum):
    """What a token may be used for; a token of one purpose is worthless for another."""

    CONFIRM = "subscription.confirm.v1"
    UNSUBSCRIBE = "subscription.unsubscribe.v1"
    PREFERENCES = "subscription.preferences.v1"
    RESTORE = "subscription.restore.v1"
    ACCOUNT = "subscription.account.v1"
    MOVE = "subscription.move.v1"
    FORM = "subscription.form.v1"
    WORK = "subscription.work.v1"
    SHARE = "article.share.v1"
    RETURN = "mail.return.v1"


class BadToken(ValueError):
    """The token is forged, damaged, or made for another purpose."""


class ExpiredToken(BadToken):
    """The token was genuine, but its time is over."""


@dataclass(frozen=True)
class Tokens:
    """Makes and reads tokens with `keys`, newest first; the oldest also peppers address hashes."""

    keys: tuple[bytes, ...]

    def capability(self, purpose: Purpose, public_id: str) -> str:
        """Return the lasting token that lets its holder do `purpose` for `public_id` (32 hex digits)."""
        key = self.keys[0]
        subject = bytes.fromhex(public_id)
        return urlsafe_b64encode(_key_id(key) + subject + _mac(key, purpose, subject)).decode()

    def read_capability(self, purpose: Purpose, token: str) -> str:
        """Return the public id a lasting token was made for; raise `BadToken` otherwise."""
        raw = _decoded(token)
        subject, given = raw[1:-MAC_BYTES], raw[-MAC_BYTES:]
        for key in self.keys:
            if _key_id(key) == raw[:1] and hmac.compare_digest(given, _mac(key, purpose, subject)):
                return subject.hex()
        raise BadToken("not a token of this site and purpose")

    def timed(self, purpose: Purpose, payload: list[str]) -> str:
        """Return a token that carries `payload` (parts of letters and digits) and the time it was made."""
        return self._signer(purpose).sign("-".join(payload)).decode()

    def read_timed(self, purpose: Purpose, token: str, max_age: int) -> list[str]:
        """Return the payload of a token at most `max_age` seconds old; raise `BadToken` or `ExpiredToken`."""
        try:
            return self._signer(purpose).unsign(token, max_age=max_age).decode().split("-")
        except SignatureExpired:
            raise ExpiredToken("the token's time is over") from None
        except (BadData, UnicodeError):
            raise BadToken("not a token of this site and purpose") from None

    def read_pair(self, purpose: Purpose, token: str, valid: timedelta) -> tuple[str, str]:
        """Return the two parts of a token's payload; raise `BadToken` or `ExpiredToken`."""
        payload = self.read_timed(purpose, token, int(valid.total_seconds()))
        if len(payload) != 2:
            raise BadToken("not a token of this site and purpose")
        return payload[0], payload[1]

    def age(self, purpose: Purpose, token: str) -> timedelta:
        """Return how long ago a genuine token was made; raise `BadToken` otherwise."""
        try:
            _, made_at = self._signer(purpose).unsign(token, return_timestamp=True)
        except (BadData, UnicodeError):
            raise BadToken("not a token of this site and purpose") from None
        return datetime.now(UTC) - made_at

    def mark(self, purpose: Purpose, subject: str) -> str:
        """Return the short mark that proves that we wrote `subject`; it survives any mail program."""
        return _mark(self.keys[0], purpose, subject)

    def is_mark(self, purpose: Purpose, subject: str, mark: str) -> bool:
        """Whether a mark is one of this site, purpose and subject, made with any key of the ring."""
        given = mark.lower().encode()
        return any(hmac.compare_digest(given, _mark(key, purpose, subject).encode()) for key in self.keys)

    def count_key(self, what: str) -> str:
        """Return the keyed hash under which tries are counted, so that a count names nobody."""
        return hmac.new(self._derived("count"), what.encode(), hashlib.sha256).hexdigest()

    def address_hash(self, match_key: str) -> str:
        """Return the keyed hash an address is suppressed under; it outlives key rotation and erasure."""
        return hmac.new(self._derived("address"), match_key.encode(), hashlib.sha256).hexdigest()

    def _signer(self, purpose: Purpose) -> TimestampSigner:
        # itsdangerous signs with the last key of the list and accepts all of them.
        return TimestampSigner(list(reversed(self.keys)), salt=purpose.value, digest_method=hashlib.sha256)

    def _derived(self, use: str) -> bytes:
        return hmac.new(self.keys[-1], b"derive." + use.encode(), hashlib.sha256).digest()


def _decoded(token: str) -> bytes:
    try:
        raw = urlsafe_b64decode(token.encode("ascii"))
    except (Base64Error, ValueError):
        raise BadToken("not a token of this site and purpose") from None
    # Decoding forgives stray characters; only the one canonical spelling is ours.
    if len(raw) != CAPABILITY_BYTES or urlsafe_b64encode(raw).decode() != token:
        raise BadToken("not a token of this site and purpose")
    return raw


def _key_id(key: bytes) -> bytes:
    return hashlib.sha256(b"key id." + key).digest()[:1]


def _mac(key: bytes, purpose: Purpose, subject: bytes) -> bytes:
    return hmac.new(key, purpose.value.encode() + b"\0" + subject, hashlib.sha256).digest()[:MAC_BYTES]


def _mark(key: bytes, purpose: Purpose, subject: str) -> str:
    return b32encode(_mac(key, purpose, subject.encode())[:MARK_BYTES]).decode().lower()
