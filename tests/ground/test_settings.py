"""Settings: typed, frozen, and every mistake at once."""

import stat
from pathlib import Path

import pytest
from pydantic import ValidationError

from blog.errors import SettingsError
from blog.settings import Settings, load_settings

GOOD = {
    "site_url": "https://news.example.org",
    "secret_key": "0123456789abcdef0123456789abcdef",
    "mail_default_sender": "News <news@example.org>",
}


def mistakes(**settings: object) -> list[str]:
    with pytest.raises(SettingsError) as caught:
        load_settings(**settings)
    return caught.value.problems


def test_a_public_site_with_a_good_secret_and_a_sender_starts() -> None:
    assert load_settings(**GOOD).host == "news.example.org"


def test_all_mistakes_are_reported_together_a_line_each() -> None:
    lines = mistakes(
        site_url="https://news.example.org/blog", mail_port=0, database_url="mysql://x", secret_key="short",
        mail_use_tls=True, mail_use_ssl=True,
    )  # fmt: skip
    for name in ("SITE_URL", "MAIL_PORT", "DATABASE_URL", "SECRET_KEY", "MAIL_USE_TLS"):
        assert sum(f"BLOG_{name}" in line for line in lines) == 1, (name, lines)


def test_a_public_site_without_a_secret_or_a_sender_is_refused() -> None:
    lines = mistakes(site_url="https://news.example.org")
    assert any("BLOG_SECRET_KEY: missing" in line for line in lines)
    assert any("BLOG_MAIL_DEFAULT_SENDER: missing" in line for line in lines)


@pytest.mark.parametrize("secret", ["short", "changeme-changeme-changeme-changeme", "x" * 31])
def test_a_weak_secret_is_refused_everywhere_but_in_the_demo(secret: str) -> None:
    assert "too weak" in mistakes(secret_key=secret)[0]
    assert load_settings(secret_key=secret, demo=True).demo


def test_on_a_loopback_site_a_secret_is_made_once_and_kept_for_the_owner_alone(tmp_path: Path) -> None:
    first = load_settings(var_dir=tmp_path / "var").key_ring
    assert first == load_settings(var_dir=tmp_path / "var").key_ring
    assert len(first[0]) == 64
    assert stat.S_IMODE((tmp_path / "var" / "secret.key").stat().st_mode) == 0o600


def test_settings_cannot_be_changed_after_they_are_read() -> None:
    settings = load_settings(**GOOD)
    with pytest.raises(ValidationError):
        settings.site_url = "http://other.example"  # type: ignore[misc]


def test_a_password_never_travels_in_the_clear() -> None:
    assert "in the clear" in mistakes(**GOOD, mail_server="smtp.example.org", mail_username="news")[0]
    assert load_settings(**GOOD, mail_server="smtp.example.org", mail_username="news", mail_use_tls=True)


def test_secrets_do_not_show_when_settings_are_printed() -> None:
    settings = load_settings(**GOOD, mail_password="hunter2")
    assert "hunter2" not in repr(settings)
    assert str(GOOD["secret_key"]) not in repr(settings)


def test_plain_postgresql_urls_get_the_driver_we_use() -> None:
    assert Settings(database_url="postgres://me@host/db").database_url == "postgresql+psycopg://me@host/db"


def test_the_environment_wins_over_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "blog.toml").write_text('mail_port = 2500\nmail_server = "from-file"\n')
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("BLOG_MAIL_PORT", "2600")
    assert (load_settings().mail_port, load_settings().mail_server) == (2600, "from-file")


def test_a_broken_settings_file_is_one_clear_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "blog.toml").write_text("mail_port = = 3\n")
    monkeypatch.chdir(tmp_path)
    assert mistakes()[0].startswith("blog.toml: ")


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("BLOG_PACE", 'an object like {"name": "value"}'),
        ("BLOG_PREVIOUS_SECRET_KEYS", 'a list like ["value"]'),
    ],
)
def test_a_variable_that_is_no_json_is_told_what_it_should_be(
    monkeypatch: pytest.MonkeyPatch, name: str, expected: str
) -> None:
    monkeypatch.setenv(name, "oops")
    with pytest.raises(SettingsError) as refused:
        load_settings()
    assert str(refused.value) == f"{name}: expected JSON, {expected}; docs/settings.md has examples"
