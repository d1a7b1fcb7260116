"""The site as the world has it: it answers, and a mail program's one click unsubscribes (RFC 8058)."""

import http.client
import secrets
import ssl
import urllib.error
import urllib.request
from collections.abc import Iterator
from email.message import Message
from urllib.parse import urlsplit

from blog.doctor.findings import Finding, good, skipped, warning, wrong
from blog.links import Links
from blog.subscribers import unsubscribe
from blog.tokens import Tokens

SECONDS = 10.0
FORM = "application/x-www-form-urlencoded"
PRESSES = {
    FORM: b"List-Unsubscribe=One-Click",
    "multipart/form-data; boundary=b": (
        b'--b\r\nContent-Disposition: form-data; name="List-Unsubscribe"\r\n\r\nOne-Click\r\n--b--\r\n'
    ),
}
_WHY = "Gmail and others press this button for the reader; where it fails they file the mail as junk"


class _Here(urllib.request.HTTPRedirectHandler):
    """A mail program follows no redirect."""

    def redirect_request(self, *_: object, **__: object) -> None:
        return None


_opener = urllib.request.build_opener(_Here)


def check(tokens: Tokens, links: Links) -> Iterator[Finding]:
    """Yield what is to be said of the live site; nobody's subscription is touched."""
    try:
        status, _ = _ask(links.to("/healthz"))
    except (OSError, http.client.HTTPException, ValueError) as error:
        reason = getattr(error, "reason", error)
        broken = isinstance(reason, ssl.SSLError)
        mend = (
            "renew or mend its certificate"
            if broken
            else "start it: blog serve; see BLOG_SITE_URL and the proxy"
        )
        found = f"{links.base} does not answer: {' '.join(str(reason).split())[:200]}"
        yield wrong("site", found, "the links in every mail lead there", mend)
        yield skipped("one click", "the site does not answer")
        return
    if status == 200:
        yield good("site", f"{links.base} answers")
    else:
        mend = "see the log of blog serve, and which path the proxy passes on"
        yield wrong("site", f"{links.base}/healthz answers {status}", "readers meet errors", mend)
    if urlsplit(links.base).scheme != "https":
        why = "mail programs offer one click only where the address starts with https (RFC 8058, 3.1)"
        yield warning("one click", f"{links.base} has no TLS", why, "give the site a certificate")
    # A genuine link of somebody who was never there: the answer is everybody's, and nothing changes.
    address = links.unsubscribe(unsubscribe.token_for(tokens, secrets.token_hex(16)))
    for kind, body in PRESSES.items():
        yield _pressed(address, kind, body)


def _pressed(address: str, kind: str, body: bytes) -> Finding:
    name = f"one click, {'urlencoded' if kind == FORM else 'multipart'}"
    try:
        status, headers = _ask(address, kind, body)
    except (OSError, http.client.HTTPException) as error:
        return wrong(name, f"no answer: {' '.join(str(error).split())[:200]}", _WHY, "see the proxy's log")
    if "Location" in headers or 300 <= status < 400:
        mend = (
            "BLOG_SITE_URL must be the final address, with https and with or without www as the site has it"
        )
        return wrong(name, f"redirected to {headers.get('Location', 'somewhere')[:100]}", _WHY, mend)
    if status != 200:
        mend = "let the proxy pass POST /unsubscribe/ through without a login, a challenge or a cache"
        mend += "; every host must have the same BLOG_SECRET_KEY"
        return wrong(name, f"answered {status}", _WHY, mend)
    if "Set-Cookie" in headers:
        return wrong(name, "a cookie came with the answer", _WHY, "take it out of the proxy")
    return good(name, "a POST without cookies is answered with 200, directly")


def _ask(address: str, kind: str = "", body: bytes | None = None) -> tuple[int, Message]:
    headers = {"User-Agent": "blog-doctor"} | ({"Content-Type": kind} if kind else {})
    request = urllib.request.Request(address, data=body, headers=headers)  # noqa: S310 - http or https, as set
    try:
        with _opener.open(request, timeout=SECONDS) as answer:
            return answer.status, answer.headers
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.headers
