"""The ceiling of digitising: the oracle's SNR by dpi and speed, over a folder of 12-lead WFDB records.

    python tools/snr_ceiling.py /path/of/records --dpi 200,300 --speed 25,50

Pages are clean, on A4 at 10 mm/mV, shortened to what the paper holds at 50 mm/s (--fit). The table is the Challenge's
rule, pooled over the leads of all records; leads that are zero throughout are left out and counted.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

import ecgvec
from ecgvec.verify.report import pool, verify_image
from ecgvec.verify.score import Score


def scores(record: Path, dpi: float, speed: float) -> tuple[Score | None, Score | None]:
    """Quick digitiser's and oracle's score of the record's first page."""
    with tempfile.TemporaryDirectory() as folder:
        sheet = ecgvec.render(record, dpi=dpi, speed=speed, paper="a4", fit=True)
        sheet.save(folder, ["png", "json"])
        report = verify_image(Path(folder, f"{sheet.plan.stem}.json"), record.name, oracle=True)
    if report.fault:
        raise SystemExit(f"{record}: {report.fault}")
    return report.quick, report.oracle


def row(records: list[Path], dpi: float, speed: float, verbose: bool) -> str:
    """One line of the table."""
    quick, best = [], []
    started = time.monotonic()
    for record in records:
        one, other = scores(record, dpi, speed)
        quick += [one] if one is not None else []
        best += [other] if other is not None else []
        if verbose and other is not None:
            leads = " ".join(f"{v:.1f}" for v in other.leads.values())
            print(f"  {record.name} {dpi:g} dpi {speed:g} mm/s: {leads}", flush=True)
    low, high = pool(quick), pool(best)
    if low is None or high is None:
        raise SystemExit("no lead could be scored")
    seconds = (time.monotonic() - started) / len(records)
    return (
        f"| {dpi:g} | {speed:g} | {high.median:.1f} | {high.p10:.1f} | {high.low_median:.1f} | {high.low_p10:.1f} "
        f"| {high.kaggle:.2f} | {low.median:.1f} | {high.leads} | {high.zero_leads} | {seconds:.0f} |"
    )


def main() -> None:
    """Print the table, as Markdown."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", nargs="+", type=Path, help="folders of WFDB records")
    parser.add_argument("--dpi", default="100,150,200,300")
    parser.add_argument("--speed", default="25,50")
    parser.add_argument("--most", type=int, help="this many records of each folder")
    parser.add_argument("--verbose", action="store_true", help="the leads of each record as they come")
    given = parser.parse_args()
    records = [path.with_suffix("") for folder in given.folders for path in sorted(folder.rglob("*.hea"))[: given.most]]
    print(f"{len(records)} records")
    print(
        "| dpi | mm/s | oracle median dB | p10 | below 0.4 px/s | its p10 | Kaggle | quick | leads | zero | s a page |"
    )
    print("|---|---|---|---|---|---|---|---|---|---|---|")
    for speed in given.speed.split(","):
        for dpi in given.dpi.split(","):
            print(row(records, float(dpi), float(speed), given.verbose), flush=True)


if __name__ == "__main__":
    main()
