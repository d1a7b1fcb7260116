"""Signatures by certificate (Amazon SNS) and by public key (SendGrid), on OpenSSL."""

import hashlib
import http.client
import re
import ssl
from base64 import b64decode
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_der_public_key
from cryptography.x509.oid import NameOID

#: Amazon's own hosts alone: whoever could name another would sign with a certificate of theirs.
AMAZON = re.compile(r"https://sns\.[a-z]{2}(-[a-z]{2,12}){1,3}-\d{1,2}\.amazonaws\.com(\.cn)?/[!-~]*")
_CERTIFICATE = re.compile(r"/SimpleNotificationService-[0-9A-Za-z]{8,80}\.pem")
TIMEOUT, LARGEST = 5.0, 64 * 1024

Fetch = Callable[[str], bytes]


def fetch(address: str) -> bytes:
    """Return what Amazon has at an address; a redirect is an error, the host's certificate is verified."""
    parts = urlsplit(address)
    connection = http.client.HTTPSConnection(
        parts.hostname or "", timeout=TIMEOUT, context=ssl.create_default_context()
    )
    try:
        connection.request("GET", parts.path + (f"?{parts.query}" if parts.query else ""))
        answer = connection.getresponse()
        if answer.status != 200:
            raise OSError(f"it answered {answer.status}")
        return answer.read(LARGEST)
    finally:
        connection.close()


def certificate(address: str, kept: Path, get: Fetch) -> bytes | None:
    """Return the certificate at an address, fetched once and kept; None for one that is not Amazon's."""
    if not AMAZON.fullmatch(address) or not _CERTIFICATE.fullmatch(urlsplit(address).path):
        return None
    path = kept / f"{hashlib.sha256(address.encode()).hexdigest()}.pem"
    if path.is_file():
        return path.read_bytes()
    pem = get(address)
    kept.mkdir(parents=True, exist_ok=True)
    temporary = path.with_suffix(".new")
    temporary.write_bytes(pem)
    temporary.replace(path)
    return pem


def is_certified(pem: bytes, signed: bytes, signature: str, now: datetime) -> bool:
    """Whether a certificate, valid now and made out to Amazon SNS, has signed something with SHA-256."""
    try:
        found = x509.load_pem_x509_certificate(pem)
        names = found.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
        key = found.public_key()
        if (
            not isinstance(key, RSAPublicKey)
            or not names
            or not str(names[0].value).endswith("amazonaws.com")
        ):
            return False
        if not found.not_valid_before_utc <= now <= found.not_valid_after_utc:
            return False
        key.verify(b64decode(signature, validate=True), signed, PKCS1v15(), SHA256())
    except (ValueError, InvalidSignature):
        return False
    return True


def is_ecdsa_signed(public_key: str, signed: bytes, signature: str) -> bool:
    """Whether the key, as SendGrid shows it (DER in base64), has signed something."""
    try:
        key = load_der_public_key(b64decode(public_key, validate=True))
        if not isinstance(key, EllipticCurvePublicKey):
            return False
        key.verify(b64decode(signature, validate=True), signed, ECDSA(SHA256()))
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True
