"""An issue's address as its mail has it: written before the issue has one, and leading to it for good."""

from datetime import timedelta

from blog import create_app
from blog.content.values import Site
from blog.digests import dispatch, review
from blog.digests.dispatch import Office
from blog.subscribers.models import Cadence
from blog.web.pieces import Services
from tests.digests.test_plan import NOW, article, subscriber


def test_the_address_in_the_mail_leads_to_the_issue_once_readers_may_see_it(
    services: Services,
) -> None:
    app = create_app(services.settings)
    client = app.test_client(use_cookies=False)
    client.environ_base["HTTP_HOST"] = "news.example.org"
    article(services, "first", NOW - timedelta(hours=1))
    subscriber(services, "ada@example.org")
    office = Office(services.database, services.settings, services.links, Site(name="Signal & System"))
    issue = dispatch.run(office, Cadence.WEEKLY, NOW, review=True).issue
    address = services.links.issue(Cadence.WEEKLY, 1).removeprefix(services.links.base)
    assert client.get(address).status_code == 404
    with services.database.transaction() as session:
        review.approve(session, issue, NOW)
    answer = client.get(address)
    assert (answer.status_code, answer.headers["Location"]) == (301, f"/digests/{issue}")
    assert client.get(answer.headers["Location"]).status_code == 200
    assert client.get("/digests/hourly/1").status_code == 404
    assert client.get("/digests/weekly/2").status_code == 404
    app.extensions["blog"].database.dispose()
