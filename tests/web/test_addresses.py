"""One address per page."""

import pytest
from flask.testing import FlaskClient


@pytest.mark.parametrize(
    ("asked", "target"),
    [("/archive/", "/archive"), ("/archive//", "/archive"), ("/archive/?a=1&b=%2F", "/archive?a=1&b=%2F")],
)
def test_a_slash_at_the_end_is_taken_away(client: FlaskClient, asked: str, target: str) -> None:
    answer = client.get(asked)
    assert (answer.status_code, answer.headers.get("Location")) in ((301, target), (404, None))
    if asked != "/archive//":
        assert answer.status_code == 301


@pytest.mark.parametrize(
    "asked", ["//evil.test/", "/%5Cevil.test/", "///evil.test//", "/%2F%2Fevil.test/", "/%09/evil.test/"]
)
def test_no_address_leads_to_another_host(client: FlaskClient, asked: str) -> None:
    location = client.get(asked).headers.get("Location", "/x")
    assert location.startswith("/")
    assert not location.startswith(("//", "/\\", "/\t"))


@pytest.mark.parametrize(
    "address", ["/unsubscribe/forged", "/unsubscribe/forged/", "/confirm/forged/", "/subscribe/"]
)
def test_a_post_is_never_redirected(client: FlaskClient, address: str) -> None:
    assert client.post(address).status_code not in (301, 302, 303, 307, 308)


@pytest.mark.parametrize(
    "asked", ["/a%00b", "/articles/%00", "/topics/x%0d%0a", "/confirm/%1b", "/media/a%00.png"]
)
def test_a_control_character_is_no_part_of_any_address(client: FlaskClient, asked: str) -> None:
    assert client.get(asked).status_code == 400
