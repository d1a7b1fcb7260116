"""The running application's pieces, for its views."""

from typing import cast

from flask import current_app

from blog.web.pieces import Services


def services() -> Services:
    """Return the running application's services."""
    return cast(Services, current_app.extensions["blog"])
