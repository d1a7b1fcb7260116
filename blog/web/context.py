"""What every view works with: the settings, the database, the tokens and the addresses."""

from dataclasses import dataclass
from typing import cast

from flask import current_app

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


def services() -> Services:
    """Return the running application's services."""
    return cast(Services, current_app.extensions["blog"])
