"""Proof of work: what a sign-up in a flood costs, where the operator has asked for it, and the way around it.

A challenge is a signed random number and its time: it names nobody, and nothing is stored of it until it has
been used. It is answered by the work, or by patience, for people whose browser runs no script.
"""

import hashlib
import re
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy.orm import Session

from blog.subscribers import shield
from blog.tokens import BadToken, Purpose, Tokens

VALID = timedelta(minutes=15)
PATIENCE = timedelta(minutes=1)
#: Ours have 83 characters; nobody makes us hash more than a few blocks.
LONGEST = 128
NUMBER = re.compile(r"[0-9]{1,16}", re.ASCII)


@dataclass(frozen=True)
class Answer:
    """A challenge that came back, with the number that was found, or "" for whoever has only waited."""

    challenge: str = ""
    number: str = ""


NO_ANSWER = Answer()


def new_challenge(tokens: Tokens) -> str:
    """Return a challenge that is made now."""
    return tokens.timed(Purpose.WORK, [secrets.token_hex(16)])


def patience_left(tokens: Tokens, challenge: str) -> timedelta | None:
    """Return how long a challenge is still to be waited for; None if it is not one, or waited for already."""
    age = _age(tokens, challenge)
    return PATIENCE - age if age is not None and age < PATIENCE else None


def accept(session: Session, tokens: Tokens, answer: Answer, bits: int) -> bool:
    """Whether a challenge was met, and for the first time: it is worth nothing from now on."""
    age = _age(tokens, answer.challenge)
    if age is None or (age < PATIENCE and not is_solved(answer, bits)):
        return False
    # Under the hour it was made in, so that all its uses meet in one row; the shield forgets it in a week.
    made_at = datetime.now(UTC) - age
    return shield.count(session, tokens.count_key(f"work {answer.challenge}"), made_at) == 1


def is_solved(answer: Answer, bits: int) -> bool:
    """Whether SHA-256 of `challenge.number` begins with so many zero bits."""
    if not NUMBER.fullmatch(answer.number):
        return False
    digest = hashlib.sha256(f"{answer.challenge}.{answer.number}".encode()).digest()
    return int.from_bytes(digest, "big") >> (len(digest) * 8 - bits) == 0


def _age(tokens: Tokens, challenge: str) -> timedelta | None:
    if len(challenge) > LONGEST:
        return None
    try:
        age = tokens.age(Purpose.WORK, challenge)
    except BadToken:
        return None
    return age if timedelta() <= age <= VALID else None
