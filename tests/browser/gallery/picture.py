"""One page to be looked at."""

from dataclasses import dataclass
from urllib.parse import urljoin

from playwright.sync_api import Page, Response

#: What a browser refuses to send by itself is sent too: not every client looks at a form before it sends it.
UNCHECKED = "document.querySelectorAll('form').forEach(form => { form.noValidate = true })"


@dataclass(frozen=True)
class Picture:
    """A page to be looked at: where it is, and what is pressed there (a button by its name) beforehand."""

    name: str
    #: From the root of the gallery's site, or whole where another site is to be seen.
    address: str
    press: str = ""
    typed: str = ""
    into: str = "E-mail address"
    ticked: str = ""
    #: Tells today's date, or works while it is looked at: it looks different the next time.
    unsteady: bool = False

    def open(self, page: Page, site: str) -> Response:
        """Open the page at `site`, press what is to be pressed, and return what was answered last."""
        answer = page.goto(urljoin(site, self.address))
        self._prepare(page)
        if self.press:
            # Without waiting, the answer may have come but not yet have a body to look at.
            with page.expect_navigation() as moved:
                page.get_by_role("button", name=self.press).click()
            answer = moved.value
        assert answer
        return answer

    def _prepare(self, page: Page) -> None:
        if self.typed:
            page.evaluate(UNCHECKED)
            page.get_by_label(self.into).fill(self.typed)
        if self.ticked:
            page.get_by_label(self.ticked).check()
