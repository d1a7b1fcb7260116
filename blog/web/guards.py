"""Who a view is for: said by a decorator at the view, checked for all views when the application starts."""

from collections.abc import Callable
from enum import StrEnum
from typing import Any, TypeVar

from flask import Flask, current_app, request

View = TypeVar("View", bound=Callable[..., Any])


class Guard(StrEnum):
    """What protects a view, and with it which headers its answers carry."""

    PUBLIC = "public"
    TOKEN = "token"  # noqa: S105 - the name of a guard
    DEVELOPMENT = "development"
    SIGNED = "signed"
    BEARER = "bearer"


def public(view: View) -> View:
    """Mark a view that anybody may read; its pages are the same for everybody and may be cached."""
    return _guarded(view, Guard.PUBLIC)


def unkept(view: View) -> View:
    """Mark a public view whose answers are made anew each time: a sync knows nothing of what they show."""
    view.__dict__["kept"] = False
    return view


def by_token(view: View) -> View:
    """Mark a view that is opened by a link from a mail; its pages are never cached or indexed."""
    return _guarded(view, Guard.TOKEN)


def signed(view: View) -> View:
    """Mark a view that other machines call, and that looks at a signature before anything else."""
    return _guarded(view, Guard.SIGNED)


def by_bearer(view: View) -> View:
    """Mark a view for the operator's own programs, which show a secret; never cached or indexed."""
    return _guarded(view, Guard.BEARER)


def development(view: View) -> View:
    """Mark a view that exists in the demo only."""
    return _guarded(view, Guard.DEVELOPMENT)


def refuse_unguarded(app: Flask) -> None:
    """Raise when a view says nothing about who it is for."""
    bare = sorted({rule.endpoint for rule in app.url_map.iter_rules() if not _guard(app, rule.endpoint)})
    if bare:
        raise RuntimeError(f"views without a guard (see blog/web/guards.py): {', '.join(bare)}")


def current_guard() -> Guard | None:
    """Return the guard of the view that this request reached; None where it reached none."""
    return _guard(current_app, request.endpoint) if request.endpoint else None


def may_be_kept() -> bool:
    """Whether the answers of the view that this request reached may be kept as bytes."""
    view = current_app.view_functions.get(request.endpoint or "")
    return getattr(view, "guard", None) is Guard.PUBLIC and getattr(view, "kept", True)


def _guard(app: Flask, endpoint: str) -> Guard | None:
    return getattr(app.view_functions.get(endpoint), "guard", None)


def _guarded(view: View, guard: Guard) -> View:
    view.__dict__["guard"] = guard
    return view
