"""The handwriting model's contact sheets: 40 notes by the hands that have letters, or figures by those without.

python tools/make_handwriting_sheet.py OUT.jpg [--figures] [--weights FILE] [--width PIXELS]
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
FIGURES = ("0123456789", "72", "3/14/09", "0.14", "180/95", "12:45", "<1.5", "+98-6", "24 07")
ROW, NAMES = 10.0, 30.0  # mm
FILLED = '<path d="{}" fill="{}" fill-opacity="{}"/>'


def main() -> None:
    """Write the sheet: each note by each hand, with pens and inks in turn."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path)
    parser.add_argument("--weights", type=Path)
    parser.add_argument("--width", type=int, default=2400)
    parser.add_argument("--figures", action="store_true")
    options = parser.parse_args()
    writer = Writer(options.weights)
    hands = [number for number, style in enumerate(writer.styles) if ("a" in style.characters) != options.figures]
    if options.figures:  # a hand a row, for there are many
        cells = [(row, column, text, hand) for row, hand in enumerate(hands) for column, text in enumerate(FIGURES)]
        heads, names, width = FIGURES, [writer.styles[hand].name for hand in hands], 26.0
    else:
        cells = [(row, column, text, hand) for row, text in enumerate(NOTES) for column, hand in enumerate(hands)]
        heads, names, width = [writer.styles[hand].name for hand in hands], NOTES, 52.0
    parts = [_label(name, NAMES + column * width, 5.0) for column, name in enumerate(heads)]
    texts, seeds = [text for _, _, text, _ in cells], list(range(len(cells)))
    notes = writer.write(texts, [hand for *_, hand in cells], 0.7, seeds, x_height=2.2)
    for number, ((row, column, _, _), note) in enumerate(zip(cells, notes, strict=True)):
        turn = row if options.figures else column
        nib, color = list(NIBS)[(0, 0, 1, 3)[turn % 4]], list(INKS)[(0, 1, 0, 1, 0, 2, 1, 3)[turn % 8]]
        at = NAMES + column * width, 12.0 + row * ROW
        parts.append(_drawn(ink(note, nib, color, number), at, width - 3))
    parts += [_label(text, 2.0, 12.0 + row * ROW) for row, text in enumerate(names)]
    size = NAMES + len(heads) * width, 12.0 + len(names) * ROW
    faults = sum(note.attempts > 1 for note in notes)
    print(f"{len(notes)} notes, {faults} written again, {sum(note.fallback for note in notes)} set from plain letters")
    document = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {size[0]} {size[1]}">{"".join(parts)}</svg>'
    png = cairosvg.svg2png(bytestring=document.encode(), output_width=options.width, background_color="white")
    cv2.imwrite(
        str(options.out), cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_COLOR), [cv2.IMWRITE_JPEG_QUALITY, 82]
    )


def _label(text: str, x: float, y: float) -> str:
    return f'<text x="{x}" y="{y}" font-family="sans-serif" font-size="2.2" fill="#888">{escape(text)}</text>'


def _drawn(inked: Ink, at: tuple[float, float], room: float) -> str:
    size = min(1.0, room / (inked.box[2] - inked.box[0]))
    paths = "".join(FILLED.format(layer.path.svg_d((2, 2)), layer.color, layer.opacity) for layer in inked.layers)
    return f'<g transform="translate({at[0]} {at[1]}) scale({size:.3f})">{paths}</g>'


if __name__ == "__main__":
    main()
