"""The texts that readers see, as gettext catalogues; `make words` brings every language up to date."""

import io
from datetime import UTC, datetime
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_from_dir
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

from blog import language
from blog.settings import ROOT

#: `say` has the language first; the rest is what gettext's tools know by themselves.
KEYWORDS = {
    "_": None, "gettext": None, "ngettext": (1, 2), "N_": None, "say": (2,), "say_many": (2, 3),
}  # fmt: skip
ROOMS = [(ROOT / "blog", [("**.py", "python")]), (ROOT / "templates", [("**.*", "jinja2")])]
SOME_DAY = datetime(2000, 1, 1, tzinfo=UTC)
HEADER = (
    'msgid ""\nmsgstr ""\n"Language: {}\\n"\n"Content-Type: text/plain; charset=utf-8\\n"\n'
    '"Plural-Forms: {}\\n"\n\n'
)


def wanted() -> Catalog:
    """Return every text of the code and the templates, looked for anew."""
    found = Catalog()
    for folder, methods in ROOMS:
        for _, _, message, _, _ in extract_from_dir(
            folder, methods, options_map={"**.*": {"silent": "false"}}, keywords=KEYWORDS
        ):
            found.add(message)
    return found


def kept(tag: str) -> Catalog:
    """Return a language's catalogue as its file is."""
    with path_of(tag).open("rb") as file:
        return read_po(file)


def path_of(tag: str) -> Path:
    """Return where a language's words are."""
    return language.CATALOGUES / tag / "LC_MESSAGES" / "messages.po"


def texts(catalogue: Catalog) -> list[Message]:
    """Return the messages of a catalogue without its header."""
    return [message for message in catalogue if message.id]


def written(catalogue: Catalog, tag: str) -> str:
    """Return a catalogue as its file is to be: sorted, no dates, no places, so that a change shows itself."""
    body = io.BytesIO()
    write_po(body, catalogue, width=100, no_location=True, omit_header=True, sort_output=True)
    return HEADER.format(tag, catalogue.plural_forms.rstrip(";") + ";") + body.getvalue().decode()


def compiled(catalogue: Catalog) -> bytes:
    """Return a catalogue as the site reads it."""
    catalogue.creation_date = SOME_DAY  # else each compilation would be another file
    body = io.BytesIO()
    write_mo(body, catalogue)
    return body.getvalue()


def bring_up_to_date(tag: str) -> int:
    """Take new texts into a language and old ones out of it; return how many wait for a translator."""
    before, after = kept(tag), wanted()
    merged = Catalog(locale=before.locale, charset="utf-8", fuzzy=False)
    merged.mime_headers = [("Plural-Forms", before.plural_forms)]
    for message in texts(after):
        known = before.get(message.id)
        merged.add(message.id, known.string if known else None, flags=message.flags)
    path_of(tag).write_text(written(merged, tag), encoding="utf-8")
    path_of(tag).with_suffix(".mo").write_bytes(compiled(kept(tag)))
    return sum(not all(forms(message)) for message in texts(merged))


def forms(message: Message) -> list[str]:
    """Return what a message is translated to, one for each plural form."""
    return list(message.string) if isinstance(message.string, (tuple, list)) else [message.string]


if __name__ == "__main__":
    for file in sorted(language.CATALOGUES.glob("*/LC_MESSAGES/messages.po")):
        tag = file.parent.parent.name
        print(f"{tag}: {bring_up_to_date(tag)} texts to translate in {file.relative_to(ROOT)}")
