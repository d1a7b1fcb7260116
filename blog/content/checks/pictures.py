"""Images that say nothing to people who cannot see them."""

from blog.content.checks.pieces import Piece, shown
from blog.content.values import Problem


def undescribed_images(piece: Piece) -> list[Problem]:
    """Return the images without alternative text; `alt=""` in HTML says that one is only decoration."""
    if not any(tag == "img" and not attributes.get("alt", "").strip() for tag, attributes in piece.tags):
        return []
    return [
        piece.problem(
            spot.line,
            f"the image {shown(spot.address)} has no alternative text",
            'say what it shows: ![…](…); for mere decoration write <img src="…" alt="">',
        )
        for spot in piece.spots
        if not spot.described and not spot.address.startswith(("http:", "https:", "//"))
    ]
