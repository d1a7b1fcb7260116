"""Formulas: LaTeX becomes MathML, prices stay prices."""

import pytest

from blog.content.markup import Text, render
from tests.content.test_markup import NOWHERE, Watch, html, rendered


def test_a_formula_in_a_sentence_is_mathml_with_its_source_as_text() -> None:
    made = html(r"So $\frac{a}{b} < c_1$, then.")
    assert made.startswith('<p>So <math display="inline" alttext="\\frac{a}{b} < c_1"><mrow><mfrac>')
    assert "<mo>&lt;</mo>" in made
    assert made.endswith("</math>, then.</p>")


@pytest.mark.parametrize(
    "body",
    ["$$\nx = 1\n$$", "$$ x = 1 $$", "```math\nx = 1\n```", "$$x\n= 1$$", "Before\n$$\nx = 1\n$$\nafter"],
)
def test_a_formula_of_its_own_is_a_block(body: str) -> None:
    made = html(body)
    assert '<math display="block" alttext="x = 1">' in made
    assert "$" not in made


def test_a_formula_stands_in_lists_quotes_headings_tables_and_directives() -> None:
    for body in (
        "- $x$",
        "> $x$",
        "## On $x$",
        "| a |\n|---|\n| $x$ |",
        ":::note\n$x$\n:::",
        "1. A\n\n   $$x$$",
    ):
        assert "<mi>x</mi>" in html(body), body


@pytest.mark.parametrize(
    "body",
    [
        "It costs $5 and $10.",
        "From $5-$10, or US$5 and A$7.",
        "Set $HOME and $PATH, or $HOME/bin:$PATH.",
        r"Write \$x\$ for it.",
        "`$x$` and `$5` and `$6`",
        "```sh\necho $a $b$\n```",
        "    echo $x$",
        "$ x $ and $$ and $$$",
        "$$\nnever closed\n\nhere",
        "[a](/x/$a$)",
        "$a\nb$",
    ],
)
def test_a_dollar_that_is_no_formula_stays(body: str) -> None:
    assert "<math" not in html(body)
    assert "$" in html(body)
    assert rendered(body).problems == []


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        (r"\frac{", "it ends too early"),
        (r"\left( x", r"\left has no \right"),
        (r"a_1_2", "two subscripts"),
        (r"\nosuchthing{x}", r"\nosuchthing is not known"),
        (r"\newcommand{\a}{xx}\a", "cannot be defined"),
        ("x" * 2_001, "at most 2,000"),
    ],
)
def test_a_mistake_in_a_formula_is_reported_with_its_line_and_its_source_shown(
    source: str, reason: str
) -> None:
    made = render(Text("articles/a.md", f"One\n\nTwo ${source}$.\n\n$$\n{source}\n$$", 4, "T"), NOWHERE)
    assert [problem.line for problem in made.problems] == [6, 6]
    assert all(reason in problem.message for problem in made.problems)
    assert f"<code>{source}</code>" in made.html
    assert "<math" not in made.html


@pytest.mark.parametrize(
    "attack",
    [
        r"$\href{javascript:alert(1)}{x}$",
        r"$\text{<script>alert(1)</script>}$",
        r"$\style{color:red}{x}$",
        '<math><mtext><img src=x onerror="alert(1)"></mtext></math>',
        '<math href="javascript:alert(1)"><mi xlink:href="javascript:x">y</mi></math>',
        "<math><annotation-xml encoding='text/html'><script>x</script></annotation-xml></math>",
        "<math><mtext><table><mglyph><style><!--</style>"
        "<img title='--&gt;&lt;img src=x onerror=alert(1)&gt;'>",
    ],
)
def test_nothing_active_hides_in_a_formula(attack: str) -> None:
    watch = Watch()
    watch.feed(html(attack))
    assert watch.caught == []


def test_formulas_are_no_words() -> None:
    assert rendered("One $x + y$ two.").words == 2
