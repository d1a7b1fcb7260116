"""All tables in one place, for migrations and for the test that compares them with the models."""

from blog.articles import models as articles
from blog.db import Base
from blog.delivery import models as delivery
from blog.digests import models as digests
from blog.subscribers import models as subscribers

metadata = Base.metadata
__all__ = ["articles", "delivery", "digests", "metadata", "subscribers"]
