"""Writes returned mail the way real servers word it, in our own words: reports, plain letters, complaints."""

from pathlib import Path

ORIGINAL = (
    b"Return-Path: <{return_path}>\r\nX-Delivery: {tag}\r\nFrom: News <news@example.org>\r\nTo: {to}\r\n"
    b"Message-ID: {message_id}\r\nList-Unsubscribe: <https://news.example.org/unsubscribe/{link}>\r\n"
    b"Subject: Weekly digest No. 1\r\n"
)


def original(**named: str) -> bytes:
    """Return the head of a mail of ours as a report brings it back; what is not given is left out."""
    lines = ORIGINAL.decode().split("\r\n")
    kept = [line for line in lines if "{" not in line or line.split("{")[1].split("}")[0] in named]
    return "\r\n".join(kept).format(**named).encode()


def dsn(
    to: str,
    status: str = "5.1.1",
    diagnostic: str = "smtp; 550 5.1.1 no such mailbox",
    action: str = "failed",
    returned: bytes = b"Subject: Weekly digest No. 1\r\n",
    recipient: str = "ada@example.org",
) -> bytes:
    """Return a delivery status notification (RFC 3464), addressed to a return address."""
    return (
        b"Return-Path: <>\r\nFrom: Mail Delivery <mailer-daemon@mx.example.net>\r\nTo: "
        + to.encode()
        + b"\r\n"
        b"Subject: Undelivered Mail Returned to Sender\r\nAuto-Submitted: auto-replied\r\n"
        b"MIME-Version: 1.0\r\n"
        b'Content-Type: multipart/report; report-type=delivery-status; boundary="=_cut"\r\n\r\n'
        b"--=_cut\r\nContent-Type: text/plain\r\n\r\nYour message could not be delivered.\r\n"
        b"--=_cut\r\nContent-Type: message/delivery-status\r\n\r\n"
        b"Reporting-MTA: dns; mx.example.net\r\nArrival-Date: Tue, 3 Nov 2026 09:00:00 +0000\r\n\r\n"
        b"Final-Recipient: rfc822; " + recipient.encode() + b"\r\nAction: " + action.encode() + b"\r\n"
        b"Status: " + status.encode() + b"\r\nDiagnostic-Code: " + diagnostic.encode() + b"\r\n\r\n"
        b"--=_cut\r\nContent-Type: text/rfc822-headers\r\n\r\n" + returned + b"\r\n--=_cut--\r\n"
    )


def arf(to: str, returned: bytes, feedback: str = "abuse") -> bytes:
    """Return a complaint (RFC 5965) as a provider passes it on."""
    return (
        b"From: staff@provider.example.net\r\nTo: " + to.encode() + b"\r\nSubject: FW: a report\r\n"
        b"MIME-Version: 1.0\r\n"
        b'Content-Type: multipart/report; report-type=feedback-report; boundary="=_cut"\r\n\r\n'
        b"--=_cut\r\nContent-Type: text/plain\r\n\r\nThis is a report about a mail that a user marked.\r\n"
        b"--=_cut\r\nContent-Type: message/feedback-report\r\n\r\n"
        b"Feedback-Type: " + feedback.encode() + b"\r\nUser-Agent: Example/1.0\r\nVersion: 1\r\n"
        b"Original-Rcpt-To: <redacted>\r\n\r\n"
        b"--=_cut\r\nContent-Type: message/rfc822\r\nContent-Disposition: inline\r\n\r\n"
        + returned
        + b"\r\nHello.\r\n--=_cut--\r\n"
    )


def letter(
    to: str, text: str, sender: str = "MAILER-DAEMON@mx.example.net", subject: str = "failure notice"
) -> bytes:
    """Return a bounce in plain words, from a server that knows no reports."""
    head = (
        f"From: {sender}\r\nTo: {to}\r\nSubject: {subject}\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n"
    )
    return (head + text.replace("\n", "\r\n")).encode()


def write(folder: Path, *messages: bytes) -> Path:
    """Write messages into a folder of `.eml` files."""
    folder.mkdir(parents=True, exist_ok=True)
    for number, message in enumerate(messages):
        (folder / f"{number:03}.eml").write_bytes(message)
    return folder
