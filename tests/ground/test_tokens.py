"""Tokens: bound to one purpose, forged by nobody, alive after a change of keys."""

from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from hypothesis import given
from hypothesis import strategies as st

from blog.tokens import BadToken, ExpiredToken, Purpose, Tokens

OLD, NEW = b"o" * 32, b"n" * 32
TOKENS = Tokens((OLD,))
public_ids = st.binary(min_size=16, max_size=16).map(bytes.hex)


@given(public_ids, st.sampled_from(Purpose))
def test_a_capability_reads_back_and_is_44_characters(public_id: str, purpose: Purpose) -> None:
    token = TOKENS.capability(purpose, public_id)
    assert len(token) == 44
    assert TOKENS.read_capability(purpose, token) == public_id


@given(public_ids, st.permutations(list(Purpose)))
def test_a_capability_is_worthless_for_another_purpose(public_id: str, purposes: list[Purpose]) -> None:
    token = TOKENS.capability(purposes[0], public_id)
    with pytest.raises(BadToken):
        TOKENS.read_capability(purposes[1], token)


@given(public_ids, st.integers(0, 43), st.characters(codec="ascii"))
def test_a_capability_with_any_character_changed_is_refused(public_id: str, place: int, other: str) -> None:
    token = TOKENS.capability(Purpose.UNSUBSCRIBE, public_id)
    forged = token[:place] + other + token[place + 1 :]
    if forged == token:
        return
    with pytest.raises(BadToken):
        TOKENS.read_capability(Purpose.UNSUBSCRIBE, forged)


@given(st.text(max_size=200))
def test_no_text_at_all_makes_the_readers_fail_otherwise(text: str) -> None:
    for purpose in Purpose:
        with pytest.raises(BadToken):
            TOKENS.read_capability(purpose, text)
        with pytest.raises(BadToken):
            TOKENS.read_timed(purpose, text, 60)


def test_a_capability_outlives_a_change_of_keys_and_five_years() -> None:
    token = TOKENS.capability(Purpose.UNSUBSCRIBE, "ab" * 16)
    with time_machine.travel(datetime.now(UTC) + timedelta(days=5 * 365)):
        assert Tokens((NEW, OLD)).read_capability(Purpose.UNSUBSCRIBE, token) == "ab" * 16
    with pytest.raises(BadToken):
        Tokens((NEW,)).read_capability(Purpose.UNSUBSCRIBE, token)


def test_a_timed_token_expires_and_is_bound_to_its_purpose() -> None:
    token = TOKENS.timed(Purpose.CONFIRM, ["who", "nonce"])
    assert TOKENS.read_timed(Purpose.CONFIRM, token, 60) == ["who", "nonce"]
    assert Tokens((NEW, OLD)).read_timed(Purpose.CONFIRM, token, 60) == ["who", "nonce"]
    with pytest.raises(BadToken):
        TOKENS.read_timed(Purpose.PREFERENCES, token, 60)
    with time_machine.travel(datetime.now(UTC) + timedelta(seconds=90)), pytest.raises(ExpiredToken):
        TOKENS.read_timed(Purpose.CONFIRM, token, 60)


def test_the_hash_of_an_address_survives_a_change_of_keys() -> None:
    assert TOKENS.address_hash("ada@example.org") == Tokens((NEW, OLD)).address_hash("ada@example.org")
    assert TOKENS.address_hash("ada@example.org") != TOKENS.address_hash("bob@example.org")
