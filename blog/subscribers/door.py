"""The door of signing up, for form and API alike: the shield, then the same work for every address."""

from dataclasses import replace

from flask import request

from blog import clock
from blog.delivery.addresses import Address
from blog.subscribers import shield, signup
from blog.subscribers.choices import Choices
from blog.subscribers.consent import Method
from blog.subscribers.pages import mail_domain, origin
from blog.subscribers.shield import HOUR, Verdict, Visit
from blog.subscribers.signup import Source
from blog.web.context import services


class Refused(Exception):
    """The visitor's network has asked too often; the transaction is rolled back."""


def enter(address: Address, choices: Choices, method: Method, token: str = "") -> Verdict:
    """Sign an address up, unless the shield is in doubt or refuses; return what it said."""
    database, tokens = services().database, services().tokens
    now = clock.now()
    source = Source(method, origin(), mail_domain())
    proven = shield.is_proven(tokens, token)
    visit = Visit(request.remote_addr, address.wire.rpartition("@")[2], proven)
    try:
        with database.transaction() as session:
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


def _open() -> bool:
    # On a loopback site all visitors are this machine: the limits per address are enough there.
    return services().settings.is_local
