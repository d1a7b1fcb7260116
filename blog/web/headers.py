"""Security and caching headers on every answer, errors included; a view's own header is never overwritten.

There is no script on any page but one, so the policy allows none; JSON-LD blocks are data and need no
permission.
"""

from flask import Flask, Response, request

from blog.web import page_cache
from blog.web.guards import Guard, current_guard, may_be_kept

ONE_YEAR = 31_536_000
IMMUTABLE = f"public, max-age={ONE_YEAR}, immutable"
REVALIDATE = "public, max-age=0, must-revalidate"

PAGE_POLICY = (
    "default-src 'none'; script-src 'none'; style-src 'self'; img-src 'self'; media-src 'self'; "
    "font-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; object-src 'none'; "
    "frame-ancestors 'none'"
)
#: For the one page with a script, which does a sum in a flood of sign-ups: `blog/subscribers/work.py`.
SCRIPT_POLICY = PAGE_POLICY.replace("script-src 'none'", "script-src 'self'")
#: The development inbox shows the HTML part of a mail in a sandboxed frame; its links open in a new tab.
INBOX_POLICY = PAGE_POLICY + "; frame-src 'self'"
MAIL_ENDPOINT = "inbox.html"
MAIL_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src 'self' data:; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'self'; sandbox allow-popups allow-popups-to-escape-sandbox"
)
#: An image opened by itself is a document; an SVG may bring its own style and nothing else.
IMAGE_POLICY = "default-src 'none'; style-src 'unsafe-inline'; sandbox"

CLOSED = (
    "accelerometer=(), autoplay=(), camera=(), display-capture=(), encrypted-media=(), "
    "fullscreen=(), gamepad=(), geolocation=(), gyroscope=(), hid=(), idle-detection=(), "
    "magnetometer=(), microphone=(), midi=(), payment=(), publickey-credentials-get=(), screen-wake-lock=(), "
    "serial=(), usb=(), xr-spatial-tracking=()"
)
FIXED = {
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": CLOSED,
}
PRIVATE = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Robots-Tag": "noindex, nofollow",
}
OPEN = {"Referrer-Policy": "strict-origin-when-cross-origin"}


#: Which links a browser may fetch early: in a file, since the policy allows no script in a page.
SPECULATION_RULES = "/speculation-rules.json"
READING = {"Speculation-Rules": f'"{SPECULATION_RULES}"'}


def install(app: Flask, https: bool, shared_seconds: int) -> None:
    """Put the headers on every answer of `app`; `https` says whether the site's address is an https one.

    A shared cache may keep a page for `shared_seconds` without asking; a browser asks each time.
    """
    fixed = FIXED | ({"Strict-Transport-Security": f"max-age={ONE_YEAR}; includeSubDomains"} if https else {})

    pages = OPEN | {"Cache-Control": _page_caching(shared_seconds)}

    @app.after_request
    def complete(response: Response) -> Response:
        guard = current_guard()
        policy = {"Content-Security-Policy": _policy(guard)}
        said = {name.lower() for name in response.headers.keys()}  # noqa: SIM118 - iterating gives pairs
        for name, value in {**fixed, **policy, **_by_kind(guard, response, pages)}.items():
            if name.lower() not in said:
                response.headers.add(name, value)
        return _conditional(guard, response)


def _page_caching(shared_seconds: int) -> str:
    if not shared_seconds:
        return REVALIDATE
    # No `must-revalidate`: behind a dead host a day-old page is better than none (RFC 5861, section 4).
    return f"public, max-age=0, s-maxage={shared_seconds}, stale-if-error=86400"


def _policy(guard: Guard | None) -> str:
    if guard is not Guard.DEVELOPMENT:
        return PAGE_POLICY
    return MAIL_POLICY if request.endpoint == MAIL_ENDPOINT else INBOX_POLICY


def _by_kind(guard: Guard | None, response: Response, pages: dict[str, str]) -> dict[str, str]:
    # An error is kept by no cache: what is missing now may be published in a minute. And where no view was
    # reached the address may still hold a mistyped token, so it is told to nobody.
    if guard is not Guard.PUBLIC or response.status_code >= 400:
        return PRIVATE
    return pages | READING if response.mimetype == "text/html" else pages


def _conditional(guard: Guard | None, response: Response) -> Response:
    """Give a public page a strong ETag, and answer 304 to whoever has it already."""
    readable = request.method in ("GET", "HEAD") and response.status_code == 200
    if guard is not Guard.PUBLIC or not readable or response.is_streamed:
        return response
    if page_cache.IN_PASSING in request.environ:
        return response  # whoever asks wants the page once, and looks at its bytes
    if may_be_kept():
        page_cache.offer(request.environ, response)
    if page_cache.MADE in request.environ:
        return response  # the cache in front answers, with the tag of the coding that it chooses
    response.add_etag()
    response.make_conditional(request)
    return response
