"""A PDF at true scale: all pages of a record in one document, 25 mm/s on paper, with searchable text.

    python examples/cookbook/15_pdf_at_true_scale.py path/of/a/record record.pdf

Defaults: --template ge, --paper a4. You need `pip install '.[pdf]'`. Print it at 100 %.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import ecgvec


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("record")
    parser.add_argument("out", type=Path)
    parser.add_argument("--template", default="ge")
    parser.add_argument("--paper", default="a4")
    given = parser.parse_args()

    record = ecgvec.read_record(given.record)
    recipe = ecgvec.load_recipe("clean", {"layout.template": given.template, "page.paper": given.paper, "page.dpi": 50})
    plans = ecgvec.plan(record, recipe, seed=10)
    given.out.write_bytes(ecgvec.pdf.write(ecgvec.render_plan(record, plan).scene for plan in plans))
    print(f"{given.out}: {len(plans)} pages of {record.name}")


if __name__ == "__main__":
    main()
