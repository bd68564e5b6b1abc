"""One ECG in a letter: my own page with an ECG on it, photographed, with labels for everything.

    python examples/cookbook/06_letter.py path/of/a/record out

Defaults: --recipe phone-photo, --dpi 200, --seed 1. The page may be any SVG in millimetres. For a whole letter of two
pages see examples/referral_letter.py.
"""

from __future__ import annotations

import argparse

import ecgvec
from ecgvec import embed

PAPER = """<svg xmlns="http://www.w3.org/2000/svg" width="210mm" height="297mm" viewBox="0 0 210 297">
  <rect width="210" height="297" fill="#FFFFFF"/>
  <path d="M20 32H190" stroke="#2C5A78" stroke-width="0.6"/>
</svg>
"""
LINES = [
    "Dear colleague,",
    "",
    "thank you for seeing our patient, who complains of palpitations. The tracing of",
    "today is printed below. We would be grateful for your opinion.",
]


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("record")
    parser.add_argument("out")
    parser.add_argument("--recipe", default="phone-photo")
    parser.add_argument("--dpi", type=float, default=200)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()

    sheet = ecgvec.render(given.record, template="3x4+1R", grid_color="red")
    letter = embed.page(PAPER, "letter")  # mm from the top left corner, in all that follows
    letter = letter.with_text("St. Elsewhere Hospital", (20, 27), 6, "sans-bold")
    letter = letter.with_texts(LINES, (20, 60), 5.6, 3.9)  # from line to line, and their size
    letter = letter.with_ecg(sheet, 20, 95, 170)
    photograph = embed.photograph(letter, given.recipe, given.seed, given.dpi)
    for path in embed.save([photograph], given.out):
        print(path)


if __name__ == "__main__":
    main()
