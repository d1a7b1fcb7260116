"""Links that lead nowhere, or where readers cannot follow."""

from blog.content.checks.atlas import Atlas, Fault
from blog.content.checks.pieces import Piece, shown
from blog.content.site import FILE
from blog.content.values import Problem, Site


def dead_links(piece: Piece, atlas: Atlas) -> list[Problem]:
    """Return the faults of a text's links, one for each line that holds one."""
    problems: list[Problem] = []
    for address in dict.fromkeys(_addresses(piece)):
        fault = atlas.fault(address, piece)
        if fault:
            problems += _placed(piece, atlas, address, fault)
    return problems


def _addresses(piece: Piece) -> list[str]:
    links = [attributes for tag, attributes in piece.tags if tag == "a" and "href" in attributes]
    return [link["href"] for link in links if link.get("class") != "anchor"]


def _placed(piece: Piece, atlas: Atlas, address: str, fault: Fault) -> list[Problem]:
    written: dict[int | None, str] = {
        spot.line: spot.address
        for spot in piece.spots
        if not spot.image and address in (spot.address, atlas.settled(spot.address, piece.source))
    }
    found = written or {piece.line_of(address): address}
    return [piece.problem(line, f"{_named(name)} {fault.what}", fault.hint) for line, name in found.items()]


def _named(address: str) -> str:
    return f"the link {shown(address)}" if address.strip() else "the link"


def dead_navigation(site: Site, front: Piece, atlas: Atlas) -> list[Problem]:
    """Return the entries of the site's navigation that lead nowhere."""
    try:
        rows = (front.content_dir / FILE).read_text("utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError):
        return []
    problems: list[Problem] = []
    for _, address in site.navigation:
        fault = atlas.fault(address, front)
        line = next((number for number, row in enumerate(rows, start=1) if f'"{address}"' in row), None)
        if fault and line:
            message = f"navigation: the link {shown(address)} {fault.what}"
            problems.append(Problem(FILE, line, message, fault.hint))
    return problems
