"""The relay: reachable, secured by a certificate that is in order, and willing to take our login."""

import smtplib
import socket
import ssl
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address

from blog.delivery.lint_html import LARGEST
from blog.doctor.findings import Finding, good, warning, wrong
from blog.settings import Settings

SOON = timedelta(days=14)
SECONDS = 10.0


def check(settings: Settings, hello: str, now: datetime) -> Iterator[Finding]:
    """Yield what is to be said of it; no mail is sent."""
    where = f"{settings.mail_server}:{settings.mail_port}"
    try:
        with _connected(settings, hello) as host:
            yield from _told(settings, where, host, now)
    except ssl.SSLCertVerificationError as error:
        why = "without it anybody on the way can read the mail and its password"
        mend = "use the name that its certificate has, or give it a certificate that is trusted here"
        yield wrong("relay", f"{where}: its certificate is not in order: {error.verify_message}", why, mend)
    except smtplib.SMTPAuthenticationError as error:
        mend = "mend BLOG_MAIL_USERNAME and BLOG_MAIL_PASSWORD"
        yield wrong("relay", f"{where} refuses the login ({error.smtp_code})", "no mail leaves", mend)
    except (OSError, smtplib.SMTPException) as error:
        mend = (
            "start it, or mend BLOG_MAIL_SERVER and BLOG_MAIL_PORT; ask for a firewall's rule for this port"
        )
        yield wrong(
            "relay", f"{where} cannot be used: {' '.join(str(error).split())[:200]}", "no mail leaves", mend
        )


def addresses(settings: Settings) -> list[str]:
    """Return the public addresses of the relay; none if it is on this machine or in a private network."""
    try:
        found = socket.getaddrinfo(settings.mail_server, settings.mail_port, type=socket.SOCK_STREAM)
    except OSError:
        return []
    return [
        address
        for address in dict.fromkeys(str(item[4][0]) for item in found)
        if ip_address(address).is_global
    ]


def _connected(settings: Settings, hello: str) -> smtplib.SMTP:
    if settings.mail_use_ssl:
        context = ssl.create_default_context()
        return smtplib.SMTP_SSL(
            settings.mail_server, settings.mail_port, hello, timeout=SECONDS, context=context
        )
    return smtplib.SMTP(settings.mail_server, settings.mail_port, hello, timeout=SECONDS)


def _told(settings: Settings, where: str, host: smtplib.SMTP, now: datetime) -> Iterator[Finding]:
    host.ehlo_or_helo_if_needed()
    if settings.mail_use_tls:
        host.starttls(context=ssl.create_default_context())
        host.ehlo()
    if settings.mail_username:
        host.login(settings.mail_username, settings.mail_password.get_secret_value())
    features = [name.upper() for name in ("pipelining", "size", "starttls") if host.has_extn(name)]
    yield good("relay", f"{where} answers and offers {', '.join(features) or 'nothing more'}")
    largest = host.esmtp_features.get("size", "")
    if largest.isdigit() and 0 < int(largest) < 2 * LARGEST:
        why = "a digest may be larger, and would be refused"
        yield warning("relay", f"{where} takes {int(largest):,} octets", why, "ask for a larger limit")
    if isinstance(host.sock, ssl.SSLSocket):
        yield _certificate("relay TLS", where, host.sock, now)
    elif not _is_near(settings.mail_server):
        why = "addresses and texts travel in the clear to another machine"
        yield warning("relay TLS", f"{where} is spoken to without TLS", why, "set BLOG_MAIL_USE_TLS=1")


def _certificate(name: str, where: str, connection: ssl.SSLSocket, now: datetime) -> Finding:
    ends = ssl.cert_time_to_seconds(str((connection.getpeercert() or {})["notAfter"]))
    left = datetime.fromtimestamp(ends, UTC) - now
    found = f"{where}: {connection.version()}, its certificate is good for {left.days} days"
    if left < SOON:
        return warning(name, found, "afterwards nothing is sent any more", "renew the certificate")
    return good(name, found)


def _is_near(host: str) -> bool:
    try:
        return all(ip_address(item[4][0]).is_loopback for item in socket.getaddrinfo(host, None))
    except OSError:
        return False
