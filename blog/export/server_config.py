"""What a web server must know beside the files: headers, types, old addresses."""

import json
import os
import re
from collections import Counter, defaultdict
from collections.abc import Iterable
from urllib.parse import quote

from blog.export.crawl import Written
from blog.export.fetch import Headers

NOTE = "# Written by `blog export`; read anew by `nginx -s reload`.\n"
NOTE_CADDY = "# Written by `blog export`; read anew by `caddy reload`.\n"


def http_context(written: list[Written], moved: dict[str, str], gone: Iterable[str]) -> str:
    """Return the maps that nginx wants outside of any server."""
    lines = [NOTE, "map_hash_bucket_size 512;", "map_hash_max_size 16384;"]
    lines += _map(
        "blog_moved", '""', {_quoted(path): _quoted(_spelled(target)) for path, target in moved.items()}
    )
    lines += _map("blog_gone", "0", {_quoted(path): "1" for path in gone})
    for name, values in _headers(written).items():
        common = values.pop("")
        exceptions = {_quoted(place): _quoted(value) for place, value in values.items()}
        lines += _map(_variable(name), _quoted(common), exceptions)
    return "\n".join(lines) + "\n"


def server_context(written: list[Written]) -> str:
    """Return what nginx wants inside the server: headers by the maps above, and the types of the files."""
    lines = [NOTE]
    lines += [f"add_header {name} ${_variable(name)} always;" for name in _headers(written)]
    types, exceptions = _types(written)
    lines += ["types {", *(f"    {kind} {ending};" for ending, kind in sorted(types.items())), "}"]
    lines += ["charset utf-8;", "charset_types text/css text/plain text/xml;"]
    for pattern, kind in sorted(exceptions.items()):
        # `default_type` is the one directive that takes a type with its parameters as it stands.
        lines.append(f"location ~ {_quoted(pattern)} {{ types {{ }} default_type {_quoted(kind)}; }}")
    return "\n".join(lines) + "\n"


def caddy_snippets(written: list[Written], moved: dict[str, str], gone: Iterable[str]) -> str:
    """Return the same for Caddy: `blog_moved` to ask before a file is looked for, `blog_headers` after it."""
    lines = [NOTE_CADDY, "(blog_moved) {"]
    lines += _caddy_map("blog_moved", {path: _spelled(target) for path, target in moved.items()})
    lines += ['    @blog_moved `{blog_moved} != ""`', "    redir @blog_moved {blog_moved} 301"]
    lines += _caddy_map("blog_gone", dict.fromkeys(gone, "gone"))
    lines += ['    @blog_gone `{blog_gone} != ""`', "    error @blog_gone 410", "}", "(blog_headers) {"]
    for name, values in _headers(written).items():
        common = values.pop("")
        lines += [f"    header {name} {_token(common)}"] if common else []
        places: dict[str, list[str]] = defaultdict(list)
        for place, value in values.items():
            places[value].append(place[1:] if place[0] == "~" else f"^{re.escape(place)}$")
        for number, (value, patterns) in enumerate(sorted(places.items())):
            change = f"{name} {_token(value)}" if value else f"-{name}"
            lines += _caddy_header(f"{_variable(name)}_{number}", "|".join(sorted(patterns)), change)
    types, exceptions = _types(written)
    kinds = {rf"\.{ending}$": _with_charset(kind) for ending, kind in sorted(types.items())}
    # The pattern of a file comes after that of its ending.
    kinds |= dict(sorted(exceptions.items(), key=lambda item: (item[0][0] == "/", item)))
    for number, (pattern, kind) in enumerate(kinds.items()):
        lines += _caddy_header(f"blog_type_{number}", pattern, f"Content-Type {_token(kind)}")
    return "\n".join([*lines, "}"]) + "\n"


def _caddy_map(variable: str, values: dict[str, str]) -> list[str]:
    entries = [f"        {_token(path)} {_token(value)}" for path, value in sorted(values.items())]
    return [f"    map {{path}} {{{variable}}} {{", *entries, '        default ""', "    }"]


def _caddy_header(matcher: str, pattern: str, change: str) -> list[str]:
    return [f"    @{matcher} path_regexp {_token(pattern)}", f"    header @{matcher} {change}"]


def _with_charset(kind: str) -> str:
    return f"{kind}; charset=utf-8" if kind.startswith("text/") else kind


def _token(text: str) -> str:
    # Within quotes Caddy takes back a backslash before a quote and before a brace, and no other.
    return '"' + text.replace('"', '\\"').replace("{", "\\{").replace("}", "\\}") + '"'


def redirects_file(moved: dict[str, str]) -> str:
    """Return the redirects in the form that several hosts of static sites read."""
    return "".join(f"{_spelled(path)} {_spelled(target)} 301\n" for path, target in sorted(moved.items()))


def _headers(written: list[Written]) -> dict[str, dict[str, str]]:
    """Return each header's usual value (under "") and, by place, the values that differ from it."""
    counted: dict[str, dict[str, Counter[str]]] = defaultdict(lambda: defaultdict(Counter))
    places: Counter[str] = Counter()
    pages: Counter[str] = Counter()
    # There are few lists of headers, and as many files as the site has addresses.
    for (place, headers, is_page), files in _alike(written).items():
        places[place] += files
        pages[place] += files * is_page
        for name, value in headers:
            counted[name.title()][place][value] += files
    found: dict[str, dict[str, str]] = {}
    for name, by_place in sorted(counted.items()):
        chosen = {
            place: by_place[place].most_common(1)[0][0] if place in by_place else "" for place in places
        }
        values: Counter[str] = Counter()
        for place, number in (+pages).items():
            values[chosen[place]] += number
        common = values.most_common(1)[0][0] if values else ""
        found[name] = {"": common} | {place: value for place, value in chosen.items() if value != common}
    return found


def _alike(written: list[Written]) -> Counter[tuple[str, Headers, bool]]:
    """Count the files by their place, their headers, and whether they are pages."""
    return Counter(
        (_place(page), page.headers, page.content_type.startswith("text/html"))
        for page in written
        if page.file
    )


def _place(page: Written) -> str:
    """Return the pattern of a file's folder, or of the file alone where it lies at the top."""
    first, slash, _ = (page.file or "").partition("/")
    return f"~^/{re.escape(first)}/" if slash else f"/{first}"


def _types(written: list[Written]) -> tuple[dict[str, str], dict[str, str]]:
    """Return the type of each ending, and the patterns of the files that are of another type."""
    endings: dict[str, Counter[str]] = defaultdict(Counter)
    files = {page.file: page.content_type for page in written if page.file}
    for file, kind in files.items():
        endings[_ending(file)][kind] += 1
    usual = {ending: counted.most_common(1)[0][0] for ending, counted in endings.items() if ending}
    odd: dict[str, str] = {}
    for file, kind in files.items():
        if kind != usual.get(_ending(file)):
            odd[f"/{re.escape(file.rpartition('/')[2])}$"] = kind
    plain = {ending: kind for ending, kind in usual.items() if ";" not in kind or kind.startswith("text/")}
    for ending in usual.keys() - plain.keys():
        odd[rf"\.{re.escape(ending)}$"] = usual[ending]
    return {ending: kind.partition(";")[0] for ending, kind in plain.items()}, odd


def _ending(file: str) -> str:
    return os.path.splitext(file)[1].lstrip(".")  # noqa: PTH122 - a `Path` of each would only be thrown away


def _map(variable: str, otherwise: str, values: dict[str, str]) -> list[str]:
    entries = [f"    {key} {value};" for key, value in sorted(values.items())]
    return [f"map $uri ${variable} {{", f"    default {otherwise};", *entries, "}"]


def _variable(header: str) -> str:
    return "blog_" + re.sub(r"[^a-z0-9]", "_", header.lower())


def _quoted(text: str) -> str:
    # nginx takes back a backslash before a quote or a backslash, as JSON does.
    return json.dumps(text, ensure_ascii=False)


def _spelled(path: str) -> str:
    return quote(path, safe="/:?=&%")
