"""Headers in every dialect, and every way to get one wrong."""

import json
import re
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from blog.content.front_matter import LARGEST_FILE, LARGEST_HEADER, Header, read
from blog.content.problems import Malformed
from blog.content.values import Problem


def mistake(raw: bytes) -> Problem:
    with pytest.raises(Malformed) as caught:
        read(raw, "a.md")
    return caught.value.problem


@pytest.mark.parametrize(
    "raw",
    [
        b"---\ntitle: Hello\ntags: [a, b]\n---\nText",
        b"\xef\xbb\xbf---\r\ntitle: Hello\r\ntags: [a, b]\r\n---\r\nText",
        b"---\ntitle: Hello\ntags: [a, b]\n...\nText",
        b'+++\ntitle = "Hello"\ntags = ["a", "b"]\n+++\nText',
        b'{"title": "Hello", "tags": ["a", "b"]}\nText',
        b';;;\n"title": "Hello",\n"tags": ["a", "b"],\n;;;\nText',
    ],
)
def test_every_dialect_gives_the_same_keys_and_body(raw: bytes) -> None:
    header = read(raw, "a.md")
    assert header.fields == {"title": "Hello", "tags": ["a", "b"]}
    assert header.body == "Text"
    assert header.present


def test_metadata_lines_end_at_the_first_empty_line() -> None:
    header = read(b"Title: Hello\nTags: a,\n    b\n\nText", "a.md")
    assert header.fields == {"Title": "Hello", "Tags": "a, b"}
    assert (header.body, header.body_line) == ("Text", 5)


@pytest.mark.parametrize(
    "text", ["Note: this is prose\nand goes on", "{% raw %}", "# Title", "", "---", "---\n"]
)
def test_text_without_a_header_is_all_body(text: str) -> None:
    assert read(text.encode(), "a.md") == Header(text)


def test_yaml_values_stay_what_was_written() -> None:
    header = read(b"---\ntitle: 1.10\ntags: [no, 2024-01-01]\nempty:\nquoted: ''\n---\n", "a.md")
    assert header.fields == {"title": "1.10", "tags": ["no", "2024-01-01"], "empty": None, "quoted": ""}


def test_tags_that_would_build_objects_are_only_text() -> None:
    header = read(b"---\ntitle: !!python/object/apply:os.system [echo]\n---\n", "a.md")
    assert header.fields == {"title": ["echo"]}


def test_a_mistake_names_its_line() -> None:
    assert mistake(b"---\ndate: 2025-05-30\ntitle: Backend 2.0: Systems\n---\n").line == 3
    assert mistake(b"+++\ndate = 2025-05-30\ntitle = Hello\n+++\n").line == 3
    assert mistake(b'{"title": "Hello",\n"date": }\n').line == 2
    assert mistake(b"Title: Hello\nDate 2025-05-30\n\nText").line == 2
    assert mistake(b"---\ntitle: Hello\n").message == "the header opened with --- is never closed"
    assert mistake(b"---\n- a\n- b\n---\n").message == "the header is not a list of keys"
    assert mistake(b"---\n? [a]\n: b\n---\n").line == 2


def test_what_is_not_text_is_named_with_its_line() -> None:
    assert mistake(b"one\ntwo \xff").message == "byte 0xff is not UTF-8"
    assert mistake(b"one\ntwo \xff").line == 2
    assert mistake(b"one\n\x00").line == 2


def test_too_much_is_refused() -> None:
    assert "too large" in mistake(b"x" * (LARGEST_FILE + 1)).message
    assert "too large" in mistake(b"---\na: " + b"x" * LARGEST_HEADER + b"\n---\n").message
    assert "too large" in mistake(b'{"a": "' + b"x" * LARGEST_HEADER + b'"}').message


def test_aliases_cannot_explode_and_nesting_cannot_overflow() -> None:
    lines = [b"a: &a [x,x,x,x,x,x,x,x,x]"]
    lines += [b"%c: &%c [%s]" % (n, n, b",".join([b"*%c" % (n - 1)] * 9)) for n in b"bcdef"]
    bomb = b"---\n" + b"\n".join(lines) + b"\n---\n"
    assert "too many values" in mistake(bomb).message
    assert "too many values" in mistake(b"---\na: &a [*a]\n---\n").message
    assert mistake(b"---\na: " + b"[" * 3_000 + b"\n---\n").line == 2
    assert mistake(b"+++\na = " + b"[" * 3_000 + b"\n+++\n").file == "a.md"


@pytest.mark.parametrize(
    "header",
    [
        '{{"odd": {}}}\nText',
        ';;;\n"odd": {}\n;;;\nText',
        "+++\nodd = {}\n+++\nText",
        "---\nodd: {}\n---\nText",
    ],
)
@pytest.mark.parametrize("depth", [20, 200, 500, 900, 980, 3_000])
def test_no_dialect_may_nest_deeper_or_say_more_than_another(header: str, depth: int) -> None:
    assert read(header.format("[" * 19 + "1" + "]" * 19).encode(), "a.md").body == "Text"
    found = mistake(header.format("[" * depth + "1" + "]" * depth).encode())
    assert "nested too deeply" in found.message or "malformed" in found.message
    assert found.line in {1, 2}
    assert "too many values" in mistake(header.format(str([1] * 5_001)).encode()).message


def test_a_key_given_twice_is_reported_and_the_later_one_used() -> None:
    header = read(b"---\ntitle: One\ntitle: Two\n---\n", "a.md")
    assert header.fields["title"] == "Two"
    assert [problem.line for problem in header.problems] == [3]


def test_characters_no_database_or_feed_can_hold_are_replaced() -> None:
    header = read(b'{"title": "a\\u0000b\\ud800c"}\nText \x0c here', "a.md")
    assert header.fields["title"] == "a�b�c"
    assert header.body == "Text � here"


openings = st.sampled_from(["", "---\n", "+++\n", "{", ";;;\n", "Title: x\n"])
closings = st.sampled_from(["", "\n---\n", "\n+++\n", "}", "\n;;;\n", "\n\n"])


@given(openings, st.text(max_size=200), closings, st.text(max_size=20))
def test_any_text_is_read_or_explained(opening: str, header: str, closing: str, body: str) -> None:
    raw = (opening + header + closing + body).encode("utf-8", "surrogatepass")
    with suppress(Malformed):
        read(raw, "a.md").body.encode()


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_explained(raw: bytes) -> None:
    with suppress(Malformed):
        read(raw, "a.md").body.encode()


ODD = st.sampled_from('\x01\x08\x0b\x0c\x0e\x1f\x7f\x80\x9f\u2028\ufdd0\ufffd\ufffe\uffff\n\t"\\é日𝒳')
#: What no database or no feed can hold.
UNSTORABLE = "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufffe\uffff]"


@given(st.text(st.one_of(ODD, st.characters(exclude_characters="\x00\r", exclude_categories=["Cs"]))))
def test_what_nothing_can_hold_is_replaced_in_texts_and_keys_and_nothing_else(text: str) -> None:
    storable = re.sub(UNSTORABLE, "\N{REPLACEMENT CHARACTER}", text)
    header = read(f"{json.dumps({'title': text})}\n.{text}".encode(), "a.md")
    assert header.body == f".{storable}"
    assert header.fields["title"] == storable
