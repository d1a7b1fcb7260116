"""The door of signing up, for form and API alike: the shield, then the same work for every address."""

from dataclasses import dataclass, replace

from flask import request
from sqlalchemy.orm import Session

from blog import clock
from blog.delivery.addresses import Address
from blog.subscribers import shield, signup, work
from blog.subscribers.choices import Choices
from blog.subscribers.consent import Method
from blog.subscribers.pages import mail_domain, origin
from blog.subscribers.shield import HOUR, Verdict, Visit
from blog.subscribers.signup import Source
from blog.subscribers.work import NO_ANSWER, Answer
from blog.tokens import Tokens
from blog.web.context import services


class Refused(Exception):
    """The visitor's network has asked too often; the transaction is rolled back."""


@dataclass(frozen=True)
class Proof:
    """What came along to show that this is no program: the form's own token, and where asked for, work."""

    form: str = ""
    work: Answer = NO_ANSWER


def enter(address: Address, choices: Choices, method: Method, proof: Proof) -> Verdict:
    """Sign an address up, unless the shield is in doubt or refuses; return what it said."""
    database, tokens = services().database, services().tokens
    now = clock.now()
    source = Source(method, origin(), mail_domain())
    domain = address.wire.rpartition("@")[2]
    try:
        with database.transaction(shown=False) as session:
            visit = Visit(request.remote_addr, domain, _is_proven(session, tokens, proof))
            verdict = Verdict.PASS if _open() else shield.weigh(session, tokens, visit, now)
            if verdict is Verdict.REFUSE:
                raise Refused
            if verdict is Verdict.LATER:
                source = replace(source, mailed_at=now + HOUR)
            if verdict is not Verdict.DOUBT:
                signup.sign_up(session, address, choices, source, tokens, now)
            if not _open():
                shield.remember(session, tokens, visit, verdict, now)
    except Refused:
        return Verdict.REFUSE
    return verdict


def _is_proven(session: Session, tokens: Tokens, proof: Proof) -> bool:
    bits = services().settings.proof_of_work
    return work.accept(session, tokens, proof.work, bits) if bits else shield.is_proven(tokens, proof.form)


def _open() -> bool:
    # On a loopback site all visitors are this machine: the limits per address are enough there.
    return services().settings.is_local
