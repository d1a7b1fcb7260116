"""Content is never a template: double braces pass through untouched, wherever they stand."""

import pytest

from blog.content.markup import Text, render
from tests.content.test_markup import NOWHERE, rendered

BRACES = ["{{ 7 * 7 }}", "{% raw %}", "{{ config }}", "{# no comment #}", "{%- if x -%}", "{{< figure >}}"]


@pytest.mark.parametrize("braces", BRACES)
def test_braces_stay_in_prose_code_headings_and_titles(braces: str) -> None:
    shown = braces.replace("<", "&lt;").replace(">", "&gt;")
    made = rendered(f"## On {braces}\n\nIn {braces} prose, `{braces}`.\n\n```\n{braces}\n```\n\n- {braces}")
    assert made.html.count(shown) >= 5
    assert f"In {braces} prose, {braces}." in made.text
    assert made.headings[0]["title"] == f"On {braces}"
    assert render(Text("a.md", f"# {braces}", 1, None), NOWHERE).title == braces


def test_attributes_are_still_attributes() -> None:
    assert '<h2 id="own">A' in rendered("## A {#own}").html
    assert '<p class="lead">' in rendered("Text\n{: .lead }").html
    assert "{% x %}" in rendered("*a*{% x %}").html
    assert "{% x %}" in rendered("Text\n{% x %}").html
