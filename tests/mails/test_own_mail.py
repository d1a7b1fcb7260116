"""A publisher's own template for a mail, as the docs show it."""

import re
from pathlib import Path

from blog.delivery.lint import lint
from blog.settings import ROOT
from blog.templating import mail_environment
from tests.digests.test_compose import edition, press
from tests.mails.test_issue_mail import raw_of


def test_the_example_in_the_docs_replaces_the_foot_and_nothing_else(tmp_path: Path) -> None:
    shown = re.search(r"```html\n(.*?)```", (ROOT / "docs" / "mails.md").read_text(), re.DOTALL)
    assert shown
    own = tmp_path / "emails" / "digest" / "body.html"
    own.parent.mkdir(parents=True)
    own.write_text(shown[1])
    raw, _, html = raw_of(press(templates=mail_environment(tmp_path)), edition(["A title", "Another"]))
    assert lint(raw) == []
    foot = html[html.index('<div class="small quiet foot') :]
    assert ">Leave</a>" in foot
    assert "You get this because" not in html
    assert "A title" in html
