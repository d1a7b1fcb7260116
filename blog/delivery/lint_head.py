"""What is wrong with the header of a mail."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from blog.delivery.opened import Opened

ONCE = ("From", "To", "Subject", "Date", "Message-ID", "MIME-Version", "Content-Type")
LONGEST_WORD = 75
#: Fields that software reads: an encoded word there hides what it looks for (RFC 2047 §5).
STRUCTURED = re.compile(
    r"(?i)(List-(?!Id$).*|Message-ID|References|In-Reply-To|Feedback-ID|Archived-At|Date|Precedence|"
    r"Auto-Submitted|X-Auto-Response-Suppress)$"
)
_ENCODED_WORD = re.compile(r"=\?[^?]+\?[bBqQ]\?([^?]*)\?=")
_ONE_CLICK = re.compile(r"<https?://[^<>\s]+>(,(\r\n)? <mailto:[^<>\s]+>)?")
_ADDRESSES = re.compile(r"<(?:https?://|mailto:)[^<>\s]+>(,(\r\n)? <(?:https?://|mailto:)[^<>\s]+>)*")
_FEEDBACK_ID = re.compile(r"([^:\s]*:){1,3}[A-Za-z0-9._-]{5,15}")
_NOBODY = re.compile(r"(?i)(no|do-?not|dont)[-_.]?(reply|answer)")


def one_click(mail: Opened) -> Iterator[str]:
    """Leaving takes one click, by addresses that programs can read."""
    unsubscribe, post = mail.values.get("list-unsubscribe"), mail.values.get("list-unsubscribe-post")
    if unsubscribe is not None and not _ONE_CLICK.fullmatch(unsubscribe):
        yield "List-Unsubscribe is not <https://…> with an optional <mailto:…> after it (RFC 8058 §3.1)"
    if unsubscribe is not None and post != "List-Unsubscribe=One-Click":
        yield "List-Unsubscribe-Post is not List-Unsubscribe=One-Click (RFC 8058 §3.1)"
    if post is not None and unsubscribe is None:
        yield "List-Unsubscribe-Post without List-Unsubscribe"


def list_id(mail: Opened) -> Iterator[str]:
    """A list has a name for people and one for machines."""
    value = mail.values.get("list-id")
    if mail.is_list_mail and value is None:
        yield "a list mail needs a List-Id (RFC 2919)"
    if value is not None and not re.search(r"\S\s+<[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+>$", value):
        yield 'List-Id is not a name for people and one for machines: "News" <list.example.org> (RFC 2919)'


def list_addresses(mail: Opened) -> Iterator[str]:
    """What leads to the list and to the issue is addresses in angle brackets."""
    for name, value in mail.fields:
        leads = re.fullmatch(r"(?i)List-(Help|Subscribe|Owner|Archive|Post)", name)
        if leads and not _ADDRESSES.fullmatch(value):
            yield f"{name} is not addresses in angle brackets, parted by commas (RFC 2369 §2)"
        if name.lower() == "archived-at" and not re.fullmatch(r"<https?://[^<>\s]+>", value):
            yield "Archived-At is not one address in angle brackets (RFC 5064 §2.1)"


def literal(mail: Opened) -> Iterator[str]:
    """What programs read is plain ASCII, never encoded, folded between addresses only."""
    for name, value in mail.fields:
        if not STRUCTURED.match(name):
            continue
        if _ENCODED_WORD.search(value):
            yield f"{name} holds an encoded word, so nobody can read it (RFC 2047 §5)"
        if not value.isascii():
            yield f"{name} is not plain ASCII"
        if re.search(r"(?<![,>])\r\n", value):
            yield f"{name} is folded elsewhere than between two addresses"


def automation(mail: Opened) -> Iterator[str]:
    """A mail that a program sends says so, and asks for no automatic answer."""
    if mail.values.get("auto-submitted") != "auto-generated":
        yield "a mail that a program sends needs Auto-Submitted: auto-generated (RFC 3834 §5)"
    if "OOF" not in mail.values.get("x-auto-response-suppress", ""):
        yield "X-Auto-Response-Suppress: OOF, AutoReply is missing, so Exchange would answer"


def precedence(mail: Opened) -> Iterator[str]:
    """A list's mail alone says that it is bulk."""
    value = mail.values.get("precedence")
    if value is not None and (value != "bulk" or not mail.is_list_mail):
        yield "Precedence is for a list's mails alone, and says bulk there"


def feedback(mail: Opened) -> Iterator[str]:
    """Feedback-ID has the form that Google reads, and names nobody."""
    value = mail.values.get("feedback-id")
    if value is not None and (not _FEEDBACK_ID.fullmatch(value) or "@" in value):
        yield "Feedback-ID is not up to three fields and a sender of 5 to 15 characters, joined by colons"


def once(mail: Opened) -> Iterator[str]:
    """Each field is one, and once."""
    names = [name.lower() for name, _ in mail.fields]
    for name in ONCE:
        if names.count(name.lower()) != 1:
            yield f"{name} occurs {names.count(name.lower())} times, not once (RFC 5322 §3.6)"
    often = {name.lower() for name in ONCE} | {"dkim-signature", "received"}
    for name in sorted({name for name in names if names.count(name) > 1} - often):
        yield f"{name} occurs more than once"
    for name, value in mail.fields:
        if not re.fullmatch(r"[A-Za-z][A-Za-z0-9-]*", name):
            yield f"a header line that is no field: {name[:40]!r}"
        elif not value:
            yield f"{name} is empty"


def message_id(mail: Opened) -> Iterator[str]:
    """The mail's name is of the sender's domain, and names nobody."""
    value = mail.values.get("message-id", "")
    found = re.fullmatch(r"<([^<>@\s]+)@([^<>@\s]+)>", value)
    if not found:
        yield "Message-ID is not of the form <left@right>"
        return
    domain = _domain(mail.values.get("from", ""))
    if domain and not _aligned(found[2].lower(), domain):
        yield f"Message-ID names {found[2]}, the mail comes from {domain}"
    to = mail.values.get("to", "").lower()
    if len(to.partition("@")[0]) > 3 and to.partition("@")[0] in found[1].lower():
        yield "Message-ID names the recipient"


def date(mail: Opened) -> Iterator[str]:
    """The time is in UTC, and past."""
    value = mail.values.get("date", "")
    try:
        moment = datetime.strptime(value, "%a, %d %b %Y %H:%M:%S +0000").replace(tzinfo=UTC)
    except ValueError:
        yield "Date is not a time with the zone +0000 (RFC 5322 §3.3)"
        return
    if moment > datetime.now(UTC) + timedelta(minutes=1):
        yield "Date is not past yet"


def encoded_words(mail: Opened) -> Iterator[str]:
    """Words outside ASCII are encoded in pieces that may be so long."""
    for name, value in mail.fields:
        words = _ENCODED_WORD.finditer(value)
        if any(len(found[0]) > LONGEST_WORD or not found[1] for found in words):
            yield f"{name} holds an encoded word that is empty or longer than {LONGEST_WORD} (RFC 2047 §2)"


def injection(mail: Opened) -> Iterator[str]:
    """No value has begun a field of its own."""
    for name, value in mail.fields:
        if re.search(r"[\x00-\x08\x0b-\x1f\x7f]", value.replace("\r\n", "")):
            yield f"{name} holds a control character"
    for name in mail.values.keys() & {"bcc", "cc", "resent-to", "sender"}:
        yield f"{name.title()} is a field that we never write"


def one_recipient(mail: Opened) -> Iterator[str]:
    """One recipient is named, in one place."""
    to = mail.values.get("to", "")
    if not re.fullmatch(r"[^\s<>,;]+@[^\s<>,;@]+", to):
        yield "To is not one address without a name"
        return
    # A name drawn at random may end as an address begins.
    whole = re.compile(rf"(?<![\w.+-]){re.escape(to)}(?![\w.-])")
    others = (value for name, value in mail.fields if name.lower() not in ("to", "from", "reply-to"))
    if any(map(whole.search, others)):
        yield "the recipient's address stands in another field than To"


def answerable(mail: Opened) -> Iterator[str]:
    """There is one sender, whom readers can answer."""
    sender = mail.values.get("from", "")
    if len(re.findall(r"[^\s<>,;]+@[^\s<>,;]+", sender)) > 1:
        yield "From is not one address"
    if _NOBODY.search(mail.values.get("reply-to", sender).rpartition("<")[2]):
        yield "nobody reads what readers answer to a no-reply address"


def _aligned(one: str, other: str) -> bool:
    return one == other or one.endswith(f".{other}") or other.endswith(f".{one}")


def _domain(mailbox: str) -> str:
    found = re.search(r"@([^\s<>@]+)>?$", mailbox)
    return found[1].lower() if found else ""
