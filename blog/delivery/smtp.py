"""Our own SMTP client: one kept-open connection that hands over one message per round trip.

With PIPELINING (RFC 2920) the content of message i and `MAIL RCPT DATA` of message i+1 leave as one group;
the replies come back as one group and end with the 354 that asks for content i+1. Without PIPELINING the same
call waits for each reply in turn. The client knows no ledger: it reports what was said, and whether the last
octet of a message had left when a connection was lost.
"""

import base64
import contextlib
from dataclasses import dataclass
from enum import Enum

from blog.delivery.replies import Asked, Envelope, Exchange, Lost, Reply, refused
from blog.delivery.wire import Wire

# RFC 5321 §4.5.3.2.6: a shorter wait for the reply to the final dot "would typically result in delivery of
# multiple copies".
FINAL_DOT_SECONDS = 600.0
END_OF_DATA = b".\r\n"


class Security(Enum):
    """How the connection is protected; a certificate is always verified, and nothing falls back."""

    NONE = "none"
    STARTTLS = "starttls"
    TLS = "tls"


@dataclass(frozen=True)
class Relay:
    """The relay that takes our mail, and how to speak to it."""

    host: str
    port: int
    hello: str
    security: Security = Security.NONE
    username: str = ""
    password: str = ""
    timeout: float = 30.0


class Unreachable(Exception):
    """The relay cannot be reached or refuses to work with us; no message was touched."""


class Connection:
    """One open connection to the relay."""

    def __init__(self, relay: Relay) -> None:
        self._relay = relay
        self._wire = Wire(relay.timeout)
        self._dirty = False
        self.features: dict[str, str] = {}
        self.handed_over = 0

    async def open(self) -> None:
        """Connect, greet and log in; raises `Unreachable`."""
        relay = self._relay
        try:
            await self._wire.connect(relay.host, relay.port, tls=relay.security is Security.TLS)
            await self._greet()
        except (OSError, EOFError, ValueError) as error:
            self.abort()
            raise Unreachable(f"{relay.host}:{relay.port}: {_reason(error)}") from error
        except BaseException:  # nobody waits for this connection any more
            self.abort()
            raise

    async def exchange(self, content: bytes | None, envelope: Envelope | None) -> Exchange:
        """Hand over `content` (dot-stuffed, ending with the final dot) and ask for the next message.

        Never raises for what a relay or a network does.
        """
        if content is not None:
            self._dirty = False  # the final dot ends the transaction, whatever the answer
        refusal = self._own_refusal(envelope) if envelope else None
        asks = envelope if refusal is None else None
        group = self._group(asks) if asks and "PIPELINING" in self.features else b""
        lost = None
        try:
            # One piece, so that it costs one call and, where it fits, one packet.
            await self._wire.send((content or b"") + group)
        except OSError as error:
            lost = Lost(_reason(error))
            if content and self._wire.taken < len(content):
                # The kernel did not take the last octet, so no relay can hold a complete message.
                return Exchange(lost, lost if envelope else None)
        answer = await self._content_reply() if content is not None else None
        if asks is None:
            return Exchange(answer, refusal)
        if lost or isinstance(answer, Lost):
            return Exchange(answer, lost or Lost("connection lost"))
        return Exchange(answer, await (self._envelope_replies() if group else self._in_turn(asks)))

    async def quit(self) -> None:
        """Say goodbye and close."""
        with contextlib.suppress(OSError, EOFError, ValueError):
            await self._command("QUIT")
        self.abort()

    def abort(self) -> None:
        """Close at once; a message whose final dot has not left is thereby withdrawn (RFC 5321 §4.1.1.4)."""
        self._wire.close()

    async def _in_turn(self, envelope: Envelope) -> Asked | Lost:
        try:
            return await self._ask_in_turn(envelope)
        except (OSError, EOFError, ValueError) as error:
            return Lost(_reason(error))

    async def _ask_in_turn(self, envelope: Envelope) -> Asked:
        if self._reset_if_dirty():
            await self._command("RSET")
        skipped = Reply(503, "5.5.1 not asked")
        mail, rcpt, data = self._commands(envelope)
        said = await self._wire.ask(mail)
        if said.code // 100 != 2:
            return Asked(said, skipped, skipped)
        self._dirty = True
        to = await self._wire.ask(rcpt)
        if to.code // 100 != 2:
            return Asked(said, to, skipped)
        return Asked(said, to, await self._wire.ask(data))

    async def _content_reply(self) -> Reply | Lost:
        self._wire.patience = FINAL_DOT_SECONDS
        try:
            reply = await self._wire.reply()
        except (OSError, EOFError, ValueError) as error:
            return Lost(_reason(error), complete=True)
        finally:
            self._wire.patience = self._relay.timeout
        self.handed_over += reply.code // 100 == 2
        return reply

    async def _envelope_replies(self) -> Asked | Lost:
        try:
            asked = await self._read_asked()
            if asked.data.code == 354 and not asked.ready:
                # RFC 2920 §3.1: a relay may ask for the content although it refused the only recipient; a
                # lone dot ends that transaction, and the answer must be a refusal.
                await self._wire.ask(END_OF_DATA)
                self._dirty = False
            return asked
        except (OSError, EOFError, ValueError) as error:
            return Lost(_reason(error))

    async def _read_asked(self) -> Asked:
        """Read the answers to an envelope; 421 is the last word of a connection (RFC 5321 §3.8)."""
        reset = await self._wire.reply() if self._dirty else None
        if reset and reset.code == 421:
            return Asked(reset, reset, reset)
        self._dirty = True
        mail = await self._wire.reply()
        rcpt = mail if mail.code == 421 else await self._wire.reply()
        return Asked(mail, rcpt, rcpt if rcpt.code == 421 else await self._wire.reply())

    def _own_refusal(self, envelope: Envelope) -> Asked | None:
        """Refuse for the relay what it has said it cannot take (RFC 1870 §6.1, RFC 6531 §3.4)."""
        limit = self.features.get("SIZE", "")
        if limit.isdigit() and 0 < int(limit) < envelope.size:
            return refused(Reply(552, f"5.3.4 the relay takes at most {limit} octets"))
        if not envelope.recipient.isascii() and "SMTPUTF8" not in self.features:
            return refused(Reply(553, "5.6.7 the relay does not take internationalised addresses"))
        return None

    def _commands(self, envelope: Envelope) -> tuple[bytes, bytes, bytes]:
        options = f" SIZE={envelope.size}" if "SIZE" in self.features and envelope.size else ""
        if not envelope.recipient.isascii():
            options += " SMTPUTF8"
        return (
            f"MAIL FROM:<{envelope.sender}>{options}\r\n".encode(),
            f"RCPT TO:<{envelope.recipient}>\r\n".encode(),
            b"DATA\r\n",
        )

    def _group(self, envelope: Envelope) -> bytes:
        return self._reset_if_dirty() + b"".join(self._commands(envelope))

    def _reset_if_dirty(self) -> bytes:
        return b"RSET\r\n" if self._dirty else b""

    async def _greet(self) -> None:
        _expect(await self._wire.reply(), 2, "greeting")
        await self._hello()
        if self._relay.security is Security.STARTTLS:
            await self._start_tls()
        if self._relay.username:
            await self._log_in()

    async def _hello(self) -> None:
        reply = await self._command(f"EHLO {self._relay.hello}")
        if reply.code // 100 != 2:
            reply = await self._command(f"HELO {self._relay.hello}")
            _expect(reply, 2, "HELO")
            self.features = {}
            return
        lines = [line.partition(" ") for line in reply.text.split("\n")[1:]]
        self.features = {name.upper(): value for name, _, value in lines}

    async def _start_tls(self) -> None:
        if "STARTTLS" not in self.features:
            raise ValueError("the relay offers no STARTTLS, and mail is not sent in the clear")
        _expect(await self._command("STARTTLS"), 2, "STARTTLS")
        await self._wire.secure(self._relay.host)
        await self._hello()

    async def _log_in(self) -> None:
        offered = self.features.get("AUTH", "").upper().split()
        user, password = self._relay.username, self._relay.password
        if "PLAIN" in offered:
            secret = base64.b64encode(f"\0{user}\0{password}".encode()).decode()
            _expect(await self._command(f"AUTH PLAIN {secret}"), 2, "login")
        elif "LOGIN" in offered:
            _expect(await self._command("AUTH LOGIN"), 3, "login")
            _expect(await self._command(base64.b64encode(user.encode()).decode()), 3, "login")
            _expect(await self._command(base64.b64encode(password.encode()).decode()), 2, "login")
        else:
            raise ValueError("the relay offers neither AUTH PLAIN nor AUTH LOGIN")

    async def _command(self, line: str) -> Reply:
        return await self._wire.ask(line.encode() + b"\r\n")


def _expect(reply: Reply, first_digit: int, where: str) -> None:
    if reply.code // 100 != first_digit:
        raise ValueError(f"{where} refused: {reply}")


def _reason(error: Exception) -> str:
    return " ".join(str(error).split()) or type(error).__name__
