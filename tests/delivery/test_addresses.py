"""What may be typed as an address, and what becomes of it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from blog.delivery.addresses import INCOMPLETE, TOO_LONG, WRONG, BadAddress, masked, parse


@pytest.mark.parametrize(
    ("typed", "email", "wire", "key"),
    [
        ("jane@example.com", "jane@example.com", "jane@example.com", "jane@example.com"),
        ("  jane@example.com ", "jane@example.com", "jane@example.com", "jane@example.com"),
        ("Jane.Doe@Example.COM", "Jane.Doe@example.com", "Jane.Doe@example.com", "jane.doe@example.com"),
        ("jane+news@example.com", "jane+news@example.com", "jane+news@example.com", "jane+news@example.com"),
        # IDNA2008: ß is a letter of its own. The older standard would mail another domain, strasse.de.
        ("a@straße.de", "a@straße.de", "a@xn--strae-oqa.de", "a@xn--strae-oqa.de"),
        ("a@xn--strae-oqa.de", "a@straße.de", "a@xn--strae-oqa.de", "a@xn--strae-oqa.de"),
        ("José@exämple.org", "José@exämple.org", "José@xn--exmple-cua.org", "josé@xn--exmple-cua.org"),
        ("Jose\u0301@example.org", "José@example.org", "José@example.org", "josé@example.org"),
        # Somebody else's rules of what is one mailbox are not ours: dots and tags stay what they are.
        ("j.a.n.e@gmail.com", "j.a.n.e@gmail.com", "j.a.n.e@gmail.com", "j.a.n.e@gmail.com"),
        ("STRASSE@example.com", "STRASSE@example.com", "STRASSE@example.com", "strasse@example.com"),
        ("straße@example.com", "straße@example.com", "straße@example.com", "strasse@example.com"),
        ("用户@例え.jp", "用户@例え.jp", "用户@xn--r8jz45g.jp", "用户@xn--r8jz45g.jp"),
        ("a@BÜCHER.example", "a@bücher.example", "a@xn--bcher-kva.example", "a@xn--bcher-kva.example"),
        ("a@faß.de", "a@faß.de", "a@xn--fa-hia.de", "a@xn--fa-hia.de"),
        ("o'hara@example.com", "o'hara@example.com", "o'hara@example.com", "o'hara@example.com"),
        ("dev@news.test", "dev@news.test", "dev@news.test", "dev@news.test"),
        ("dev@localhost", "dev@localhost", "dev@localhost", "dev@localhost"),
        ("dev@mail.example", "dev@mail.example", "dev@mail.example", "dev@mail.example"),
        ("a" * 64 + "@example.com", *["a" * 64 + "@example.com"] * 3),
    ],
)
def test_an_address_is_shown_sent_to_and_compared(typed: str, email: str, wire: str, key: str) -> None:
    address = parse(typed)
    assert (address.email, address.wire, address.key) == (email, wire, key)


@pytest.mark.parametrize("typed", ["", "jane", "jane@", "@example.com", "jane@example", "jane@example.c"])
def test_an_incomplete_address_is_told_so(typed: str) -> None:
    with pytest.raises(BadAddress, match="incomplete") as error:
        parse(typed)
    assert str(error.value) == INCOMPLETE


def test_an_address_of_three_hundred_characters_is_told_so() -> None:
    with pytest.raises(BadAddress) as error:
        parse("a" * 288 + "@example.com")
    assert str(error.value) == TOO_LONG


@pytest.mark.parametrize(
    "typed",
    [
        "jane@example.com\r\nBcc: eve@example.org",
        "jane\r\n@example.com",
        "jane@example.com\n",
        "jane@exa\0mple.com",
        "jane\u202e@example.com",
        "jane\u200d@example.com",
        "jane doe@example.com",
        '"jane doe"@example.com',
        "jane@[127.0.0.1]",
        "Jane <jane@example.com>",
        "jane@example.com, eve@example.com",
        "a" * 65 + "@example.com",
        "jane..doe@example.com",
        "jane@-example.com",
        "jane@example.invalid",
        "ｊane@example.com",
        "ﬁ@example.com",
        "jane@☃.net",
        "a@" + ".".join(["ü" * 40] * 5) + ".de",  # too long on the wire, where each ü takes more room
        "good@example.com)eve@example.org",
    ],
)
def test_an_address_that_is_none_is_refused_for_people(typed: str) -> None:
    with pytest.raises(BadAddress) as error:
        parse(typed)
    assert str(error.value) in (WRONG, INCOMPLETE)


@given(st.text(max_size=300))
def test_whatever_is_typed_is_an_address_or_a_polite_refusal(typed: str) -> None:
    try:
        address = parse(typed)
    except BadAddress:
        return
    assert parse(address.email) == address
    assert not any(character in address.wire for character in '\r\n\0 <>,;"')


def test_a_masked_address_keeps_one_letter_and_the_domain() -> None:
    assert masked("jane.doe@example.com") == "j•••@example.com"
    assert masked("j@example.com") == "j•••@example.com"


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("jane@example.com", "JANE@EXAMPLE.COM", True),
        ("josé@example.com", "jose\u0301@example.com", True),
        ("a@bücher.example", "a@XN--BCHER-KVA.example", True),
        ("jane+news@example.com", "jane@example.com", False),
        ("j.ane@gmail.com", "jane@gmail.com", False),
        ("a@faß.de", "a@fass.de", False),
    ],
)
def test_two_spellings_are_one_mailbox_or_they_are_not(one: str, other: str, same: bool) -> None:
    assert (parse(one).key == parse(other).key) is same
