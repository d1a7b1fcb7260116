"""Every public address of the site, made in one place."""

from dataclasses import dataclass
from urllib.parse import quote


@dataclass(frozen=True)
class Links:
    """Absolute addresses under `base` (an origin without a trailing slash)."""

    base: str

    def to(self, path: str) -> str:
        """Return the absolute address of a path that starts with a slash."""
        return self.base + path

    def whole(self, address: str) -> str:
        """Return an address here in full; one elsewhere, or none at all, stays as it is."""
        return self.to(address) if address.startswith("/") else address

    def article(self, slug: str) -> str:
        return self.to(f"/articles/{quote(slug)}")

    def draft(self, token: str) -> str:
        return self.to(f"/drafts/{token}")

    def topic(self, slug: str) -> str:
        return self.to(f"/topics/{quote(slug)}")

    def author(self, slug: str) -> str:
        return self.to(f"/authors/{quote(slug)}")

    def series(self, slug: str) -> str:
        return self.to(f"/series/{quote(slug)}")

    def digest(self, issue_id: int) -> str:
        return self.to(f"/digests/{issue_id}")

    def issue(self, cadence: str, number: int) -> str:
        return self.to(f"/digests/{cadence}/{number}")

    def confirm(self, token: str) -> str:
        return self.to(f"/confirm/{token}")

    def unsubscribe(self, token: str) -> str:
        return self.to(f"/unsubscribe/{token}")

    def preferences(self, token: str) -> str:
        return self.to(f"/preferences/{token}")

    def restore(self, token: str) -> str:
        return self.to(f"/restore/{token}")

    def account(self, token: str) -> str:
        return self.to(f"/account/{token}")

    def move(self, token: str) -> str:
        return self.to(f"/move/{token}")
