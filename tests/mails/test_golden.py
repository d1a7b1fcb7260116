"""Every kind of mail keeps every rule, and says in both parts and every language what it has to."""

from blog.delivery.lint import lint
from blog.subscribers.models import Mail
from tests.mails.golden import Golden


def test_every_kind_of_mail_keeps_every_rule(mails: list[Golden]) -> None:
    assert {f"mail-{kind.replace('_', '-')}" for kind in Mail} <= {golden.name for golden in mails}
    assert {golden.name: lint(golden.raw) for golden in mails} == {golden.name: [] for golden in mails}


def test_all_mails_of_a_list_have_the_same_name_and_no_others_have_one(mails: list[Golden]) -> None:
    named = {
        golden.name: golden.email.headers.get("List-Id") for golden in mails if "arabic" not in golden.name
    }
    of_the_list = {name for name in named if name.startswith(("mail-digest", "mail-erratum", "mail-welcome"))}
    assert {named[name] for name in of_the_list} == {'"Signal & System" <digest.example.org>'}
    assert {named[name] for name in named.keys() - of_the_list} == {None}


def test_nothing_is_fetched(mails: list[Golden]) -> None:
    for golden in mails:
        assert "<img" not in golden.email.html
        assert "url(" not in golden.email.html
        assert "@import" not in golden.email.html


def test_outlook_and_those_who_prefer_the_dark_get_it(mails: list[Golden]) -> None:
    for golden in mails:
        for wanted in (
            "prefers-color-scheme: dark",
            "[data-ogsc] .ink",
            "[data-ogsb] .page",
            "<!--[if mso]>",
        ):
            assert wanted in golden.email.html, golden.name
        assert golden.email.html.index("<h1") < 16_000, "the styles come twice"
