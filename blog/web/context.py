"""What every view works with: the settings, the database, the tokens, the addresses, the site."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import cast

from flask import current_app

from blog.content.values import Site
from blog.db import Database
from blog.links import Links
from blog.settings import Settings
from blog.tokens import Tokens


@dataclass(frozen=True)
class Services:
    """The pieces chosen once, in `runtime.build`."""

    settings: Settings
    database: Database
    tokens: Tokens
    links: Links
    site: Callable[[], Site]


def services() -> Services:
    """Return the running application's services."""
    return cast(Services, current_app.extensions["blog"])
