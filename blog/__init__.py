"""A newsletter and insights publishing platform."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flask import Flask

    from blog.settings import Settings


def create_app(settings: "Settings | None" = None) -> "Flask":
    """Build the web application; imported lazily so that the rooms stay free of Flask."""
    from blog.app import create_app as build

    return build(settings)
