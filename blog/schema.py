"""All tables in one place, for migrations and for the test that compares them with the models."""

from blog import ticks
from blog.articles import models as articles
from blog.bounces import models as bounces
from blog.db import Base
from blog.delivery import models as delivery
from blog.digests import models as digests
from blog.subscribers import models as subscribers

metadata = Base.metadata
__all__ = ["articles", "bounces", "delivery", "described", "digests", "metadata", "subscribers", "ticks"]


def described(_object: object, name: str | None, kind: str, _reflected: bool, _other: object) -> bool:
    """Whether the models describe such a thing: not the full-text index, which each database has its own."""
    words = str(name)
    return not (kind == "table" and words.startswith("search_index")) and not (
        kind == "index" and words.startswith("gin_search_texts_")
    )
