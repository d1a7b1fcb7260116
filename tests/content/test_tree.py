"""Writing a tree out is what the standard library does, without looking for namespaces."""

from xml.etree.ElementTree import Element, tostring

from hypothesis import given
from hypothesis import strategies as st

from blog.content.tree import serialised

TEXTS = st.text(alphabet="ab<>&\"' \u00a0\u200f日", max_size=6)
NAMES = st.sampled_from(["p", "b", "br", "img", "wbr", "linearGradient", "td"])


def element(name: str, given_: dict[str, str], text: str, tail: str, inside: list[Element]) -> Element:
    made = Element(name, given_)
    made.text, made.tail = text, tail
    made.extend(inside)
    return made


ATTRIBUTES = st.dictionaries(st.sampled_from(["class", "href", "viewBox"]), TEXTS)
TREES = st.recursive(
    st.builds(element, NAMES, ATTRIBUTES, TEXTS, TEXTS, st.just([])),
    lambda inner: st.builds(element, NAMES, ATTRIBUTES, TEXTS, TEXTS, st.lists(inner, max_size=4)),
)


@given(st.lists(TREES, max_size=3), TEXTS)
def test_a_tree_is_written_as_the_library_writes_it(inside: list[Element], text: str) -> None:
    root = element("div", {}, text, "", inside)
    whole = tostring(root, encoding="unicode", method="html")
    assert serialised(root) == whole[len("<div>") : -len("</div>")].strip()
