"""Every text that readers see is in every language, whole and with the same places to fill in."""

import re

import pytest
from jinja2 import Environment

from blog import language
from blog.settings import ROOT
from tests import catalogues

OTHERS = [tag for tag in language.offered() if tag != language.SOURCE]
#: Read by programs, or by the author and the developer alone; and names of formats.
NOT_TRANSLATED = {"site/llms.txt", "site/opensearch.xml"}
SAME_EVERYWHERE = {"Atom", "JSON", "UTF-8"}


def test_there_is_a_language_that_runs_from_the_right() -> None:
    assert {"de", "ar"} <= set(OTHERS)
    assert "rtl" in {language.direction(tag) for tag in OTHERS}


@pytest.mark.parametrize("tag", OTHERS)
def test_a_catalogue_holds_exactly_the_texts_there_are(tag: str) -> None:
    wanted, kept = (
        {message.id: message for message in catalogues.texts(catalogue)}
        for catalogue in (catalogues.wanted(), catalogues.kept(tag))
    )
    assert wanted.keys() == kept.keys(), "bring the catalogues up to date with: make words"
    for message in kept.values():
        assert not message.fuzzy, message.id
        assert all(catalogues.forms(message)), f"not translated to {tag}: {message.id}"


@pytest.mark.parametrize("tag", OTHERS)
def test_a_translation_has_the_same_places_and_the_same_markup(tag: str) -> None:
    for message in catalogues.texts(catalogues.kept(tag)):
        source = message.id if isinstance(message.id, str) else message.id[-1]
        for form in catalogues.forms(message):
            # The form for one or for two may do without the number: Arabic has a word for "two hours".
            spare = {"num"} if isinstance(message.id, tuple) else set()
            assert places(form) | spare == places(source) | spare, form
            assert links(form) == links(source), form
            assert form.strip() == form
            if not re.match(r"\W", source):
                assert form[-1] in ":." or source[-1] not in ":.", form


@pytest.mark.parametrize("tag", OTHERS)
def test_a_catalogue_has_as_many_forms_as_the_language_and_is_compiled(tag: str) -> None:
    kept = catalogues.kept(tag)
    assert kept.num_plurals == {"de": 2, "ar": 6}.get(tag, kept.num_plurals)
    compiled = language.words(tag)
    for message in catalogues.texts(kept):
        if isinstance(message.id, tuple):
            said = {compiled.ngettext(*message.id, number) for number in range(121)}
            assert said == set(catalogues.forms(message)), "compile the catalogues with: make words"
        else:
            assert compiled.gettext(message.id) == message.string, "compile the catalogues with: make words"


def test_no_template_says_a_word_past_the_catalogues() -> None:
    for path in sorted((ROOT / "templates").rglob("*.*")):
        name = str(path.relative_to(ROOT / "templates"))
        if name in NOT_TRANSLATED or name.startswith("development/"):
            continue
        said = set(re.findall(r"(?<![\w/])[A-Za-z][A-Za-z'-]+", bare_text(path.read_text())))
        assert said <= SAME_EVERYWHERE, f"{name}: {said - SAME_EVERYWHERE}"


def bare_text(source: str) -> str:
    """Return what a template says by itself: no expressions, no tags; of the tags, what is read out."""
    source = re.sub(r"{% block (dark_)?style %}.*?{% endblock %}", "", source, flags=re.DOTALL)
    data = "".join(value for _, kind, value in Environment(trim_blocks=True).lex(source) if kind == "data")
    data = re.sub(r"<style>.*?</style>|\$\w+|&\w+;", " ", data, flags=re.DOTALL)
    spoken = re.findall(r'(?:alt|title|placeholder|aria-label)="([^"]*)"', data)
    return re.sub(r"<[^>]*>|<|>", " ", data) + " ".join(spoken)


def places(text: str) -> set[str]:
    return set(re.findall(r"%\((\w+)\)s", text))


def links(text: str) -> list[str]:
    return sorted(re.findall(r'<a href="[^"]*">|<b>|<code>|<time [^>]*>', text))


def test_a_percent_sign_is_always_the_beginning_of_a_place() -> None:
    for message in catalogues.texts(catalogues.wanted()):
        for text in [message.id] if isinstance(message.id, str) else message.id:
            assert not re.search(r"%(?!\(\w+\)s)", text), text
