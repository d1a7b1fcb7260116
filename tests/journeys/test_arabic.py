"""The main job in Arabic, over real HTTP and SMTP: every page and mail on the way runs from the right."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from blog.delivery.lint import lint
from tests.journeys.installation import Installation, free_port, link_in, read, text_of
from tests.relay import Message, relay
from tests.site.pages import read as page_of

pytestmark = pytest.mark.slow

SITE = """
name = "إشارة ونظام"
language = "ar"
languages = ["ar", "en"]
[[topics]]
slug = "systems"
name = "الأنظمة"
"""


@pytest.fixture
def installation(database_url: str, tmp_path: Path) -> Installation:
    made = Installation(tmp_path, database_url, smtp_port=1, port=free_port())
    made.content.mkdir()
    (made.content / "site.toml").write_text(SITE, encoding="utf-8")
    made.blog("db", "upgrade")
    return made


def runs_from_the_right(html: str) -> str:
    (root,) = page_of(html).all("html")
    assert (root["lang"], root["dir"]) == ("ar", "rtl")
    return html


def html_of(message: Message) -> str:
    part = read(message).get_body(("html",))
    assert part is not None
    return str(part.get_content())


def test_from_sign_up_to_digest_to_leaving_everything_is_in_arabic(installation: Installation) -> None:
    site, ada = installation, "ada@example.org"
    yesterday = datetime.now(UTC) - timedelta(days=1)
    site.write("queues", title="طوابير الرسائل", date=yesterday.isoformat(), tags=["systems"])
    with relay() as server, site.serving():
        site.smtp_port = server.port
        site.blog("sync")
        assert "اشترك" in runs_from_the_right(site.get("/subscribe").body)
        assert "تفقّد بريدك" in runs_from_the_right(site.post("/subscribe", email=ada).body)
        site.blog("worker", "--until-idle")
        asked = server.to(ada)[-1]
        assert str(read(asked)["Subject"]) == "أكّد اشتراكك في إشارة ونظام"
        assert "48 ساعة" in runs_from_the_right(html_of(asked))
        link = link_in(asked, "/confirm/")
        runs_from_the_right(site.get(link).body)
        assert "تم اشتراكك" in runs_from_the_right(site.post(link).body)
        assert site.blog_json("subscribers", "show", ada)["language"] == "ar"

        issue = str(site.blog_json("digest", "run", "--cadence", "weekly")["issue"])
        site.blog("worker", "--until-idle")
        digest = server.to(ada)[-1]
        assert "النشرة الأسبوعية رقم 1" in text_of(digest)
        assert "قراءة دقيقة واحدة" in runs_from_the_right(html_of(digest))
        assert "النشرة الأسبوعية رقم 1" in runs_from_the_right(site.get(f"/digests/{issue}").body)

        assert "تفضيلات البريد" in runs_from_the_right(site.get(link_in(digest, "/preferences/")).body)
        leaving = link_in(digest, "/unsubscribe/")
        assert "أتريد مغادرة القائمة؟" in runs_from_the_right(site.get(leaving).body)
        assert "لن يُرسل شيء آخر" in runs_from_the_right(site.post(leaving).body)
        assert site.blog_json("subscribers", "show", ada)["status"] == "unsubscribed"
        site.blog("worker", "--until-idle")
        assert "أُلغي اشتراكك" in runs_from_the_right(html_of(server.to(ada)[-1]))
        assert [lint(message.raw) for message in server.messages] == [[]] * len(server.messages)
