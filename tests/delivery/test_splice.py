"""Frozen messages with holes: whatever fills them, lines stay short and nothing leaks into the headers."""

import quopri

import pytest
from hypothesis import given
from hypothesis import strategies as st

from blog.delivery.splice import hole, quoted_printable, split, stuff_dots

tokens = st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_", min_size=1, max_size=70)
texts = st.text(st.characters(codec="utf-8", exclude_characters="\0\r\x0b\x0c"), max_size=300)


@given(texts, tokens, texts, tokens, texts)
def test_what_is_encoded_around_holes_decodes_to_the_filled_text(
    first: str, one: str, second: str, other: str, third: str
) -> None:
    template = quoted_printable(first + hole("one") + second + hole("two") + third)
    filled = split(template).fill({"one": one.encode(), "two": other.encode()})
    assert all(len(line) <= 76 for line in filled.split(b"\r\n"))
    assert filled.isascii()
    decoded = quopri.decodestring(filled).replace(b"\r\n", b"\n").decode()
    assert decoded == first + one + second + other + third


@given(st.integers(60, 90), st.sampled_from([" ", "\t", "é ", " é"]))
def test_a_blank_at_the_end_of_a_full_line_does_not_make_it_longer(length: int, end: str) -> None:
    encoded = quoted_printable("x" * length + end + "\nmore\n")
    assert max(map(len, encoded.split(b"\r\n"))) <= 76
    assert quopri.decodestring(encoded).replace(b"\r\n", b"\n").decode() == "x" * length + end + "\nmore\n"


@given(texts, tokens)
def test_dots_are_stuffed_once_for_all_recipients(text: str, token: str) -> None:
    template = stuff_dots(quoted_printable(f".{text}\n.{hole('x')}\n."))
    filled = split(template).fill({"x": token.encode()})
    assert not any(line.startswith(b".") and not line.startswith(b"..") for line in filled.split(b"\r\n"))


@pytest.mark.parametrize("value", [b"a\r\nBcc: x@y", b"", b".dot", b"\0", b" space", b"line\nfeed"])
def test_a_value_that_could_break_a_message_is_refused(value: bytes) -> None:
    with pytest.raises(ValueError):
        split(f"To: {hole('to')}\r\n".encode()).fill({"to": value})


def test_a_missing_value_and_an_open_hole_are_errors() -> None:
    with pytest.raises(KeyError):
        split(f"a{hole('to')}b".encode()).fill({})
    with pytest.raises(ValueError):
        split(b"a\0to")
    assert split(f"a{hole('to')}b{hole('x')}".encode()).holes == {"to", "x"}
