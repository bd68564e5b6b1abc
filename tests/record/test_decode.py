"""Format 16 is read without wfdb: the same values to the bit."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from ecgvec.record import decode
from ecgvec.record.files import Home
from ecgvec.record.header import load_header

FRAMES = 50


@pytest.mark.parametrize("seed", range(20))
def test_format_16_as_wfdb_reads_it(tmp_path: Path, seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Files of several signals, samples a frame, gains, baselines, offsets, and numbers that stand for no value."""
    rng = np.random.default_rng(seed)
    lines = []
    for file in range(int(rng.integers(1, 4))):
        offset, frames = int(rng.integers(0, 9)), [int(n) for n in rng.integers(1, 4, rng.integers(1, 5))]
        samples = rng.integers(-32768, 32768, FRAMES * sum(frames))
        samples[rng.random(len(samples)) < 0.1] = decode.PLAIN_NAN
        content = bytes(offset) + samples.astype("<i2").tobytes() + bytes(int(rng.integers(0, 2)))
        (tmp_path / f"r{file}.dat").write_bytes(content)
        for number, per_frame in enumerate(frames):
            gain, baseline = rng.choice([200.0, 1e-3, 4880.5, 1 / 3]), rng.integers(-40000, 40000)
            spec = f"16x{per_frame}+{offset} {gain!r}({baseline})/mV 16 0 0 0 0 lead {file} {number}"
            lines.append(f"r{file}.dat {spec}".replace("np.float64(", "").replace(")(", "("))
    (tmp_path / "r.hea").write_text(f"r {len(lines)} 100 {FRAMES}\n" + "\n".join(lines) + "\n")
    header = load_header(tmp_path / "r.hea")
    home = Home.of(tmp_path, header.path)
    wanted = [signal for signal in header.signals if rng.random() < 0.7] or list(header.signals[:1])
    plain = decode.decode(header, home, wanted, FRAMES)
    monkeypatch.setattr(decode, "_decode_plain", decode._decode_staged)
    by_wfdb = decode.decode(header, home, wanted, FRAMES)
    assert plain[0] == by_wfdb[0] == FRAMES and len(plain[1]) == len(wanted)
    for ours, theirs in zip(plain[1], by_wfdb[1], strict=True):
        assert np.isnan(theirs).any() or len(theirs) < 100
        np.testing.assert_array_equal(ours, theirs)


def test_a_page_of_format_16_needs_no_wfdb() -> None:
    """Its import, with pandas, takes as long as all others together."""

    code = (
        "import sys, ecgvec; from ecgvec.resources import folder; "
        "ecgvec.render(folder('demo') / 'ecgvec-demo', dpi=50); "
        "print(sorted({'wfdb', 'pandas', 'scipy', 'torch', 'spacy', 'svgwrite'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
