"""What an orchestrator asks a process: answered by whatever name it asks, and ahead of the page cache."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication

ALIVE, READY = "/healthz", "/readyz"


class Probes:
    """Leads the two health addresses past everything that may have to wait for the database.

    Kubernetes and load balancers ask by the address of the machine, which is no name of the site; nothing in
    these answers is made from the name. And a process whose database hangs is alive: whoever kills it
    for that only adds a cold start to the trouble.
    """

    def __init__(self, app: "WSGIApplication", cached: "WSGIApplication") -> None:
        self._app, self._cached = app, cached

    def __call__(self, environ: dict[str, Any], start_response: "StartResponse") -> Iterable[bytes]:
        """Answer a request."""
        if environ.get("PATH_INFO") in (ALIVE, READY):
            return self._app({**environ, "HTTP_HOST": "localhost"}, start_response)
        return self._cached(environ, start_response)
