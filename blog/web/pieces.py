"""What every door works with: the settings, the database, the tokens, the addresses, the site.

It stands apart from `context`, since most commands need these pieces and no web framework.
"""

from collections.abc import Callable
from dataclasses import dataclass

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
