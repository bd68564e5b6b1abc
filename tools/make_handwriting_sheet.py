"""The contact sheet of the handwriting model: 40 notes by the hands that have letters.

python tools/make_handwriting_sheet.py OUT.jpg [--weights FILE] [--width PIXELS]
"""

from __future__ import annotations

import argparse
from pathlib import Path
from xml.sax.saxutils import escape

import cairosvg
import cv2
import numpy as np

from ecgvec.handwriting import Writer
from ecgvec.handwriting.ink import Ink, ink
from ecgvec.handwriting.nibs import INKS, NIBS

NOTES = (
    "LBBB", "RBBB", "AFib w/ RVR", "72 bpm", "NSR", "no acute ischemia", "ST elev V1-V4", "QTc 480 ms", "QRS 0.14",
    "PR 0.21 s", "1st deg AV block", "inf. Q waves", "LVH?", "T inv. V5, V6", "old MI", "?? repeat in 2 h", "PVCs",
    "sinus brady 48", "HR 132!", "K+ 6.1", "see prior 3/14/09", "axis -30", "pt. asympt.", "p pulmonale", "WPW (delta)",
    "JR, MD", "A. Lee", "12:45", "BP 140/85", "rate ~ 150 = 2:1?", "echo EF 55%", "poor R prog.", "& low voltage",
    "troponin #2", "lead V3 off", "\"clinical corr.\"", "[ok] 25 mm/s", "<100 ms; >2 mm", "LBBB LBBB LBBB", "STEMI*",
)  # fmt: skip
ROW, COLUMN, NAMES = 10.0, 56.0, 30.0  # mm
FILLED = '<path d="{}" fill="{}" fill-opacity="{}"/>'


def main() -> None:
    """Write the sheet: each note by each hand, with pens and inks in turn."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path)
    parser.add_argument("--weights", type=Path)
    parser.add_argument("--width", type=int, default=2400)
    options = parser.parse_args()
    writer = Writer(options.weights)
    hands = [number for number, style in enumerate(writer.styles) if "a" in style.characters]
    parts = []
    for column, hand in enumerate(hands):
        parts.append(_label(writer.styles[hand].name, NAMES + column * COLUMN, 5.0))
    orders = [(row, column, hand) for row in range(len(NOTES)) for column, hand in enumerate(hands)]
    texts, seeds = [NOTES[row] for row, _, _ in orders], list(range(len(orders)))
    notes = writer.write(texts, [hand for _, _, hand in orders], 0.7, seeds, x_height=2.2)
    for number, ((row, column, _), note) in enumerate(zip(orders, notes, strict=True)):
        nib, colour = list(NIBS)[(0, 0, 1, 3)[column % 4]], list(INKS)[(0, 1, 0, 1, 0, 2, 1, 3)[column % 8]]
        at = NAMES + column * COLUMN, 12.0 + row * ROW
        parts.append(_drawn(ink(note, nib, colour, number), at, COLUMN - 3))
    parts += [_label(text, 2.0, 12.0 + row * ROW) for row, text in enumerate(NOTES)]
    size = NAMES + len(hands) * COLUMN, 12.0 + len(NOTES) * ROW
    faults = sum(note.attempts > 1 for note in notes)
    print(f"{len(notes)} notes, {faults} written again, {sum(note.fallback for note in notes)} set from plain letters")
    document = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {size[0]} {size[1]}">{"".join(parts)}</svg>'
    png = cairosvg.svg2png(bytestring=document.encode(), output_width=options.width, background_color="white")
    cv2.imwrite(
        str(options.out), cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_COLOR), [cv2.IMWRITE_JPEG_QUALITY, 88]
    )


def _label(text: str, x: float, y: float) -> str:
    return f'<text x="{x}" y="{y}" font-family="sans-serif" font-size="2.2" fill="#888">{escape(text)}</text>'


def _drawn(inked: Ink, at: tuple[float, float], room: float) -> str:
    size = min(1.0, room / (inked.box[2] - inked.box[0]))
    paths = "".join(FILLED.format(layer.path.svg_d((2, 2)), layer.colour, layer.opacity) for layer in inked.layers)
    return f'<g transform="translate({at[0]} {at[1]}) scale({size:.3f})">{paths}</g>'


if __name__ == "__main__":
    main()
