"""A made-up publication of any size: articles of about 7 KB with code, lists, tables, links and topics.

    python -m benchmarks.corpus FOLDER --articles 10000

The words follow Zipf's law within fields of their own, so that some articles really are about the same thing.
The same seed gives the same files, in the front matter that each of the tools compared reads best.
"""

import argparse
import random
from collections.abc import Iterator
from datetime import date, timedelta
from itertools import accumulate
from pathlib import Path

SYLLABLES = """
    ba ce di fo gu ha ki lo mu ne pa qui ro su ta ve wi xo ya zu bra cle dri flo gru ster tion ment
""".split()  # noqa: SIM905  # a paragraph of words reads better than quoted ones
COMMON = """
    the of and to a in that it is was for on are with as be at one have this from or had by not but what
    some we can out other were all there when up use your how said an each she which do their time if
    will way about
""".split()  # noqa: SIM905  # a paragraph of words reads better than quoted ones
LANGUAGES = ("python", "bash", "javascript")
FIELDS, FIELD_WORDS, SHARED_WORDS = 60, 400, 6_000
TOPICS = 20


class Vocabulary:
    """The words of the publication: those everybody uses, and those of each field."""

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance
        self._shared = COMMON + [self._coined() for _ in range(SHARED_WORDS)]
        self._weights = list(accumulate(1 / (rank + 2) for rank in range(len(self._shared))))
        self._fields = [[self._coined() for _ in range(FIELD_WORDS)] for _ in range(FIELDS)]
        self._field_weights = list(accumulate(1 / (rank + 3) for rank in range(FIELD_WORDS)))

    def words(self, field: int, number: int) -> list[str]:
        """Return words of a text about a field; about one in six belongs to it."""
        own = number // 6
        words = self._chance.choices(self._shared, cum_weights=self._weights, k=number - own)
        words += self._chance.choices(self._fields[field], cum_weights=self._field_weights, k=own)
        self._chance.shuffle(words)
        return words

    def _coined(self) -> str:
        return "".join(self._chance.choices(SYLLABLES, k=self._chance.randint(2, 4)))


def texts(articles: int, seed: int = 1) -> Iterator[tuple[str, str, list[str], date, str]]:
    """Yield slug, title, topics, date and body of each article."""
    chance = random.Random(seed)
    vocabulary = Vocabulary(chance)
    first = date(2012, 1, 1)
    for number in range(articles):
        field = chance.randrange(FIELDS)
        title = " ".join(vocabulary.words(field, 6)).capitalize()
        topics = sorted({f"topic-{field % TOPICS}", f"topic-{chance.randrange(TOPICS)}"})
        day = first + timedelta(days=number * 5_000 // articles)
        yield f"article-{number}", title, topics, day, _body(chance, vocabulary, field, number)


def _body(chance: random.Random, vocabulary: Vocabulary, field: int, number: int) -> str:
    parts: list[str] = []
    for section in range(4):
        parts.append(f"## {' '.join(vocabulary.words(field, 4)).capitalize()}")
        parts.extend(_paragraph(chance, vocabulary, field, number) for _ in range(3))
        if section < 3:
            parts.append(_code(chance, vocabulary, field, LANGUAGES[section]))
    parts.append("\n".join(f"- {' '.join(vocabulary.words(field, 9))}" for _ in range(5)))
    rows = [f"| {' | '.join(vocabulary.words(field, 3))} |" for _ in range(4)]
    parts.append("\n".join([rows[0], "| --- | --- | --- |", *rows[1:]]))
    return "\n\n".join(parts) + "\n"


def _paragraph(chance: random.Random, vocabulary: Vocabulary, field: int, number: int) -> str:
    words = vocabulary.words(field, 66)
    words[7] = f"*{words[7]}*"
    words[19] = f"**{words[19]}**"
    words[31] = f"`{words[31]}()`"
    if number and chance.random() < 0.2:
        words[43] = f"[{words[43]}](/articles/article-{chance.randrange(number)})"
    lines = [" ".join(words[start : start + 14]) for start in range(0, len(words), 14)]
    return "\n".join(lines).capitalize() + '. It\'s "done".'


def _code(chance: random.Random, vocabulary: Vocabulary, field: int, language: str) -> str:
    names = vocabulary.words(field, 12)
    if language == "python":
        lines = [
            f"def {names[0]}({names[1]}: int, *, {names[2]}: str = 'x') -> None:",
            f'    """{names[3]} {names[4]}."""',
            f"    for {names[5]} in range({chance.randrange(1_000)}):  # {names[6]}",
            f"        {names[7]}[{names[5]}] = f'{{{names[1]}!r}} {names[8]}'",
            f"    return {names[9]}.{names[10]}({names[11]}=True)",
        ]
    elif language == "bash":
        lines = [f"cd /srv/{names[0]} && ./{names[1]} --{names[2]} | grep '{names[3]}' > {names[4]}.log"] * 2
        lines.append(f'export {names[5].upper()}="$({names[6]} {names[7]})"  # {names[8]}')
    else:
        lines = [
            f"const {names[0]} = async ({names[1]}) => {{",
            f"  const {{ {names[2]}, {names[3]} }} = await fetch(`/{names[4]}/${{{names[1]}}}`);",
            f"  return {names[2]}.map(({names[5]}) => {names[5]}.{names[6]} ?? {chance.randrange(100)});",
            "};",
        ]
    return "\n".join([f"```{language}", *lines, "```"])


def header(dialect: str, slug: str, title: str, topics: list[str], day: date) -> str:
    """Return the lines before a text: `yaml` for this project and Hugo, `pelican` for Pelican."""
    if dialect == "pelican":
        return f"Title: {title}\nDate: {day}\nSlug: {slug}\nTags: {', '.join(topics)}\n\n"
    return f'---\ntitle: "{title}"\ndate: {day}\ntags: [{", ".join(topics)}]\n---\n\n'


def write(folder: Path, articles: int, dialect: str = "yaml", seed: int = 1) -> None:
    """Write the publication's articles into a folder, a file each."""
    folder.mkdir(parents=True, exist_ok=True)
    for slug, title, topics, day, body in texts(articles, seed):
        text = header(dialect, slug, title, topics, day) + body
        (folder / f"{slug}.md").write_text(text, encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--articles", type=int, default=10_000)
    parser.add_argument("--dialect", choices=("yaml", "pelican"), default="yaml")
    options = parser.parse_args()
    write(options.folder, options.articles, options.dialect)


if __name__ == "__main__":
    main()
