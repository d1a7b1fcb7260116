"""Whether mail is signed here: what the settings say, and the signer, loaded only where one is needed."""

from collections.abc import Callable
from email.utils import parseaddr
from functools import lru_cache
from pathlib import Path

from blog.settings import Settings

Sign = Callable[[bytes], bytes]
Order = tuple[str, tuple[tuple[str, Path], ...]]


def ordered(settings: Settings) -> Order | None:
    """Return the domain and the keys that the settings ask for; None where the relay signs, or nobody."""
    if not settings.dkim_keys:
        return None
    domain = settings.dkim_domain or parseaddr(settings.sender)[1].rpartition("@")[2]
    return domain, tuple(settings.dkim_keys.items())


@lru_cache(maxsize=8)
def signer(order: Order | None) -> Sign | None:
    """Return what makes the signatures of a finished message; raise `UsageError` for a key that is none."""
    if order is None:
        return None
    # OpenSSL takes a moment to load, and most installations leave signing to their relay.
    from blog.delivery import dkim

    return dkim.signer(*order)
