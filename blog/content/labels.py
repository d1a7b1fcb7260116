"""The few words that a rendering says by itself, in the language of its text."""

from xml.etree.ElementTree import Element

from blog.content.tree import classes
from blog.language import N_, say

#: What stands over an admonition that was given no title, and over details.
_TITLES = {
    *(N_("Note"), N_("Tip"), N_("Info"), N_("Important"), N_("Warning"), N_("Caution"), N_("Danger")),
    *(N_("Hint"), N_("Attention"), N_("Error")),
}
_MORE = N_("More")


def put(root: Element, language: str) -> None:
    """Say the titles that nobody wrote in the language of the text."""
    for element in root.iter():
        plain = (element.text or "").strip() if not len(element) else ""
        if element.tag == "summary" and plain == _MORE:
            element.text = say(language, _MORE)
        elif plain in _TITLES and "admonition-title" in classes(element):
            element.text = say(language, plain)


def of_section(language: str, title: str) -> str:
    """Return how a heading's link to itself is announced."""
    return say(language, N_("Link to section: %(title)s"), title=title)


def of_way_back(language: str, number: int | None, place: int | None) -> str:
    """Return how a footnote's link to (one of several, the `place`th of) its references is announced."""
    if place is None:
        return say(language, N_("Jump back to footnote %(number)s in the text"), number=number)
    message = N_("Jump back to footnote %(number)s in the text, reference %(place)s")
    return say(language, message, number=number, place=place)


def of_task(language: str, done: bool) -> str:
    """Return how the box before a task is announced."""
    return say(language, N_("done") if done else N_("to do"))


def of_table(language: str, number: int | None) -> str:
    """Return the name of a table without a caption, with its number where there are several."""
    return (
        say(language, N_("Table")) if number is None else say(language, N_("Table %(number)s"), number=number)
    )
