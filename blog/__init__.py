"""A newsletter and insights publishing platform."""

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flask import Flask

    from blog.settings import Settings


def _load_logging() -> None:
    """Load structlog without rich, which it would take for trails of errors that are never shown here."""
    rich = sys.modules.setdefault("rich", None)  # type: ignore[arg-type]
    import structlog.dev  # noqa: F401 - it looks for rich only now

    if rich is None:
        del sys.modules["rich"]


_load_logging()


def create_app(settings: "Settings | None" = None) -> "Flask":
    """Build the web application; imported lazily so that the rooms stay free of Flask."""
    from blog.app import create_app as build

    return build(settings)
