"""The closed set of directives: what `:::note Title` and its kin put around the text they enclose."""

import difflib
import re
from collections.abc import Callable
from dataclasses import dataclass
from html import escape

OPENING = re.compile(r":{3,} *\{? *\.?([A-Za-z][\w-]*)\}?(?: +(.*?))? *$")
CLOSING = re.compile(r":{3,} *$")

_ADMONITIONS = ("note", "tip", "info", "important", "warning", "caution", "danger")
_OPTION = re.compile(r"\b(poster|captions)=(?:\"([^\"]*)\"|(\S+))")


@dataclass(frozen=True)
class Frame:
    """What stands before and after a directive's text."""

    before: str
    after: str


def frame(name: str, argument: str, empty: bool) -> Frame | None:
    """Return what a directive puts around its text; None when there is no directive of that name."""
    if name in _ADMONITIONS:
        return _admonition(name, argument)
    made = _OTHERS.get(name)
    return made(argument, empty) if made else None


def advice(name: str) -> str:
    """Say how to mend the name of a directive that does not exist."""
    known = [*_ADMONITIONS, *_OTHERS]
    near = difflib.get_close_matches(name.lower(), known, n=1)
    inside = [other for other in known if other in name.lower()]
    if near or inside:
        return f"did you mean :::{(near or inside)[0]}?"
    return f"there are {', '.join(known)}; the text in it is shown as it is"


def _admonition(name: str, title: str) -> Frame:
    head = f'<p class="admonition-title">{escape(title or name.capitalize())}</p>'
    return Frame(f'<aside class="admonition {name}">{head}', "</aside>")


def _details(title: str, _empty: bool) -> Frame:
    return Frame(f"<details><summary>{escape(title or 'More')}</summary>", "</details>")


def _figure(caption: str, _empty: bool) -> Frame:
    return Frame("<figure>", f"{_caption(caption)}</figure>")


def _pull(by: str, _empty: bool) -> Frame:
    return Frame('<figure class="pull"><blockquote>', f"</blockquote>{_caption(by)}</figure>")


def _video(argument: str, empty: bool) -> Frame:
    """A film of the site's own: `talk.mp4 poster=talk.jpg captions=talk.vtt`, its caption as the text."""
    given = {name: quoted or bare for name, quoted, bare in _OPTION.findall(argument)}
    address = escape(_OPTION.sub("", argument).strip())
    poster = f' poster="{escape(given["poster"])}"' if "poster" in given else ""
    track = f'<track kind="captions" src="{escape(given["captions"])}">' if "captions" in given else ""
    film = f'<video src="{address}"{poster} controls preload="metadata">{track}</video>'
    if empty:
        return Frame(f"<figure>{film}", "</figure>")
    return Frame(f"<figure>{film}<figcaption>", "</figcaption></figure>")


def _caption(text: str) -> str:
    return f"<figcaption>{escape(text)}</figcaption>" if text else ""


_OTHERS: dict[str, Callable[[str, bool], Frame]] = {
    "details": _details,
    "figure": _figure,
    "pull": _pull,
    "video": _video,
}
