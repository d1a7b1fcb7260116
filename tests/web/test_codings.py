"""Content codings: the header of RFC 9110, and the bytes."""

import gzip
import random

import brotli
import pytest
from hypothesis import given
from hypothesis import strategies as st

from blog.web import codings
from blog.web.codings import accepted


@pytest.mark.parametrize(
    ("header", "first"),
    [
        ("", "identity"),
        ("gzip", "gzip"),
        ("x-gzip", "gzip"),
        ("gzip, deflate", "gzip"),
        ("gzip, deflate, br, zstd", "br"),
        ("GZIP, BR", "br"),
        ("br;q=0.5, gzip", "gzip"),
        ("br;q=0, gzip;q=0", "identity"),
        ("br; q=0.2, gzip; q=0.4, identity; q=0.9", "identity"),
        ("*", "br"),
        ("*;q=0", "identity"),
        ("gzip;q=0, *", "br"),
        ("br;q=high", "identity"),
        ("br;q=7", "identity"),
        ("zstd", "identity"),
    ],
)
def test_the_clients_wish_comes_first_and_then_the_smaller(header: str, first: str) -> None:
    assert accepted(header)[0] == first


@given(st.text(max_size=80))
def test_any_header_at_all_gets_codings_we_have(header: str) -> None:
    found = accepted(header)
    assert "identity" in found
    assert set(found) <= set(codings.OURS)


def test_every_coding_gives_the_same_bytes_back() -> None:
    body = b"<p>Queues and loops, loops and queues.</p>" * 40
    made = codings.prepared(body, "text/html; charset=utf-8")
    assert brotli.decompress(made["br"]) == gzip.decompress(made["gzip"]) == made["identity"] == body
    assert made == codings.prepared(body, "text/html; charset=utf-8")


@pytest.mark.parametrize("kind", ["font/woff2", "image/png", "image/avif"])
def test_what_is_compressed_already_is_left_alone(kind: str) -> None:
    assert set(codings.prepared(b"x" * 9000, kind)) == {"identity"}


def test_what_would_not_become_smaller_is_left_alone() -> None:
    assert set(codings.prepared(b"short", "text/plain")) == {"identity"}
    assert set(codings.prepared(random.Random(7).randbytes(900), "text/plain")) == {"identity"}
