"""A two-page referral letter with ECGs in it, photographed, with COCO labels of all that is on it.

    python examples/referral_letter.py                             # the embedded record, into the folder letter/
    python examples/referral_letter.py --record MY_RECORD --out letters --recipe scan-colour --seed 3

Hospital, people and findings are made up. It shows the parts that a pipeline for documents needs: a host page as plain
SVG, lines of text, ECGs placed, one of them turned, and both pages through one recipe.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import ecgvec
from ecgvec import Record, embed

LETTERHEAD = """<svg xmlns="http://www.w3.org/2000/svg" width="210mm" height="297mm" viewBox="0 0 210 297">
  <rect width="210" height="297" fill="#FFFFFF"/>
  <g fill="none" stroke="#2C5A78" stroke-width="1.1">
    <circle cx="28" cy="22" r="7"/><path d="M22.5 22h3l1.3 -3.2l2 6.4l1.3 -3.2h3.4"/>
  </g>
  <path d="M20 35H190" stroke="#2C5A78" stroke-width="0.5"/>
  <text x="39" y="21" font-family="Liberation Sans" font-size="5.4" fill="#2C5A78">Cardiology Outpatients</text>
  <text x="39" y="27" font-family="Liberation Sans" font-size="3.1" fill="#505050"
    >Example Valley Hospital (made up), 1 Sample Road, Nowhere</text>
  <text x="190" y="288" font-family="Liberation Sans" font-size="2.9" fill="#505050" text-anchor="end">{footer}</text>
</svg>
"""
OPENING = [
    "Dear Dr Placeholder,",
    "",
    "Thank you for referring Mr Test Patient, born 1 January 1950, who was seen in our",
    "clinic on Monday. He describes six weeks of chest tightness when he climbs stairs, which",
    "settles within minutes of rest, and two brief spells of palpitations at night. He has never",
    "fainted. He takes amlodipine 5 mg once daily and has no known allergies.",
    "",
    "On examination he was comfortable. Heart sounds were normal, the chest was clear and",
    "there was no ankle swelling. His resting electrocardiogram is shown below.",
]
TABLE = [
    ("", "Today", "March"),
    ("Blood pressure (mmHg)", "142/84", "150/90"),
    ("Pulse (per minute)", "68", "74"),
    ("Weight (kg)", "81.5", "83.0"),
    ("Total cholesterol (mmol/l)", "5.1", "6.2"),
]
CLOSING = [
    "I have asked for an echocardiogram and an exercise test, and started aspirin 75 mg and a",
    "statin. The tracing that he brought from his last admission is copied below for comparison.",
    "We shall write again when the results are to hand.",
    "",
    "With kind regards,",
    "",
    "",
    "Dr A. N. Example",
    "Consultant Cardiologist (made up)",
]
SIZE, PITCH = 3.9, 5.6  # of the type, and from line to line, in mm


def first_page(record: Record) -> embed.Page:
    """The letter's opening, and today's ECG over the width of the page."""
    page = embed.page(LETTERHEAD.format(footer="Page 1 of 2"), "letter-1")
    page = page.with_text("12 May 2026", (190, 45), SIZE, align="right")
    page = page.with_text("Re: Mr Test Patient, hospital number 000000", (20, 53), SIZE, "serif-bold")
    page = page.with_texts(OPENING, (20, 64), PITCH, SIZE)
    sheet = ecgvec.render(record, template="ge", print_header=True, grid_color="red")
    return page.with_ecg(sheet, 20, 122, 170)


def second_page(record: Record) -> embed.Page:
    """A table of values, the closing, and an older ECG, pasted in a little askew."""
    rules = "".join(f'<path d="M20 {47 + 7 * row}H150" stroke="#707070" stroke-width="0.2"/>' for row in range(6))
    host = LETTERHEAD.format(footer="Page 2 of 2").replace("</svg>", f"{rules}</svg>")
    page = embed.page(host, "letter-2")
    for row, cells in enumerate(TABLE):
        face = "serif" if row else "serif-bold"
        for x, cell in zip((22, 92, 124), cells, strict=True):
            page = page.with_text(cell, (x, 52 + 7 * row), SIZE, face)
    page = page.with_texts(CLOSING, (20, 94), PITCH, SIZE)
    sheet = ecgvec.render(record, template="hospital", grid_color="grey", print_header=True)
    return page.with_ecg(sheet, 34, 154, 146, rotate=-4)


def main(arguments: Sequence[str] | None = None) -> list[Path]:
    """Write the letter; returns its files."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--record", help="a WFDB record, without extension; without it the embedded record")
    parser.add_argument("--out", default="letter", help="the folder to write into")
    parser.add_argument("--recipe", default="phone-photo", help="how the pages are seen")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--dpi", type=float, default=200.0)
    options = parser.parse_args(arguments)
    record = ecgvec.read_record(options.record) if options.record else ecgvec.read_demo_record()
    pages = [first_page(record), second_page(record)]
    photographs = [embed.photograph(page, options.recipe, options.seed, options.dpi) for page in pages]
    return embed.save(photographs, options.out)


if __name__ == "__main__":
    for path in main():
        print(path)
