"""The picture of a card, drawn with Pillow; imported where one is drawn, which few processes ever do."""

import io

from PIL import Image, ImageDraw

from blog.articles import wording
from blog.site import lettering, marks, sketch
from blog.site.card import HEIGHT, WIDTH, Card
from blog.site.lettering import BOLD, MEDIUM, Block, font
from blog.site.pen import Pen
from blog.theme import LIGHT

MARGIN = 72
INK, MUTED = sketch.INK[0], "#566070"
SIZES = range(104, 43, -4)
#: The lines at the foot stand on `BASE`, the title above them on `FOOT`.
BASE, FOOT = HEIGHT - MARGIN, HEIGHT - MARGIN - 64
TITLE_HEIGHT, LONGEST_TITLE = 232, 220
SMALLEST_SKETCH, LARGEST_SKETCH, SKETCH_ALONE = 320, 464, 720
SKETCH_TOP = 48


def png(card: Card) -> bytes:
    """Draw a card."""
    picture = Image.new("RGB", (WIDTH, HEIGHT), LIGHT[0])
    draw = ImageDraw.Draw(picture)
    title = wording.excerpt(lettering.drawable(card.title) or "", LONGEST_TITLE)
    block = lettering.fitted(title, WIDTH - 2 * MARGIN, TITLE_HEIGHT, SIZES)
    top = FOOT - block.height
    _sketch(picture, card, top if title else None)
    _wordmark(draw, card)
    _title(draw, block, top)
    rule = top - 40 if title else FOOT - 16
    draw.rectangle((MARGIN, rule, MARGIN + 87, rule + 9), card.accent)
    _small(draw, card)
    file = io.BytesIO()
    # A few lines on white: 64 colours hold every shade of their edges, at a third of the bytes.
    picture.quantize(64, dither=Image.Dither.NONE).save(file, "PNG", optimize=True)
    return file.getvalue()


def _sketch(picture: Image.Image, card: Card, title_top: int | None) -> None:
    """Draw the sketch at the right, as large as the title leaves room for; alone, it fills the card."""
    room = (title_top or 0) - SKETCH_TOP - 16
    width = max(SMALLEST_SKETCH, min(LARGEST_SKETCH, round(room * marks.WIDTH / marks.HEIGHT)))
    width = width if title_top else SKETCH_ALONE
    pen = Pen(width, LIGHT[0], INK, card.accent)
    drawing = pen.picture(sketch.draw(card.slug or card.site, card.topic or card.slug or card.site))
    top = SKETCH_TOP if title_top else BASE - drawing.height
    picture.paste(drawing, (WIDTH - MARGIN - width, top))


def _wordmark(draw: ImageDraw.ImageDraw, card: Card) -> None:
    width = WIDTH - 3 * MARGIN - LARGEST_SKETCH
    name = lettering.shortened(lettering.drawable(card.site) or "", width, BOLD, 38)
    at: float = MARGIN
    for part in name.replace(" & ", " \0&\0 ").split("\0"):
        draw.text((at, MARGIN + 28), part, card.accent if part == "&" else INK, font(BOLD, 38), "ls")
        at += font(BOLD, 38).getlength(part)


def _title(draw: ImageDraw.ImageDraw, block: Block, top: int) -> None:
    for place, line in enumerate(block.lines):
        baseline = top + block.size * (0.82 + place * lettering.LEADING)
        # A large letter's own margin would let the title stand to the right of what is small.
        draw.text((MARGIN - block.size * 0.06, baseline), line, INK, font(BOLD, block.size), "ls")


def _small(draw: ImageDraw.ImageDraw, card: Card) -> None:
    small = font(MEDIUM, 28)
    topic = lettering.shortened(lettering.drawable(card.topic_name) or "", 620, MEDIUM, 28)
    draw.text((MARGIN, BASE), topic, INK, small, "ls")
    at = MARGIN + (small.getlength(f"{topic}  ") + 10 if topic else 0)
    draw.text((at, BASE), card.date, MUTED, small, "ls")
