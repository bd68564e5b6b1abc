"""ecg-image-kit's flags, each by what it does to the output."""

from __future__ import annotations

import itertools
import math
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import wfdb

from tests.cli.running import DEMO, Drawn, run

Draw = Callable[..., Drawn]


@pytest.fixture
def draw(tmp_path: Path) -> Draw:
    """Run ``single`` on the embedded record, each time into a folder of its own."""
    count = iter(range(100))

    def drawn(*arguments: object, bad: bool = False, **more: object) -> Drawn:
        found = run(tmp_path / f"out-{next(count)}", *arguments, **more)  # type: ignore[arg-type]
        assert bad or found.outcome.code == 0, found.outcome.stderr
        return found

    return drawn


@pytest.fixture
def records(tmp_path: Path) -> Path:
    """A folder with the embedded record twice, once in a subfolder."""
    for name in ("a", "b/c"):
        path = tmp_path / "in" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(DEMO.with_suffix(".dat"), path.with_suffix(".dat"))
        text = DEMO.with_suffix(".hea").read_text().replace("ecgvec-demo", path.name)
        path.with_suffix(".hea").write_text(text)
    return tmp_path / "in"


def flat(*more: object) -> tuple[object, ...]:
    """Flags for a plain grey page, so that noise can be measured on it."""
    return "--paper-color", "#808080", "--random_grid_present", 0, "--augment", "-c", 0, *more


def flat_part(drawn: Drawn) -> np.ndarray:
    """A part of the page that nothing is printed on."""
    return drawn.image[8:60, 300:600].astype(float)


# ---------------------------------------------------------------- which record


def input_and_output(draw: Draw, records: Path) -> None:
    for source in (DEMO, DEMO.with_suffix(".dat"), DEMO.with_suffix(".hea")):
        assert "ecgvec-demo-0.png" in draw(source=source).files
    assert {"a-0.png", "b/c-0.png"} <= set(draw(command="batch", source=records).files)


def header_elsewhere(draw: Draw, records: Path) -> None:
    away = records.parent / "away"
    away.mkdir()
    (records / "a.hea").rename(away / "a.hea")
    assert draw(source=records / "a.dat", bad=True).outcome.code == 2
    assert "a-0.png" in draw("-hea", away / "a.hea", source=records / "a.dat").files


def start(draw: Draw, records: Path) -> None:
    drawn = draw("-st", 100, "--seconds", 5)
    assert [d["plan"]["window"]["first"] for d in drawn.documents] == [100]
    assert min(trace["first_sample"] for trace in drawn.document["labels"]["traces"]) == 100
    assert "4999" not in draw("-st", 4999, bad=True).outcome.stderr
    beyond = draw("-st", 5000, bad=True)
    assert (beyond.outcome.code, "5000" in beyond.outcome.stderr) == (2, True)


def seed(draw: Draw, records: Path) -> None:
    first, again, other = (
        draw(name, number, "--augment") for name, number in (("-se", 5), ("--seed", 5), ("--seed", 6))
    )
    assert (first.image == again.image).all()
    assert first.image.shape != other.image.shape or (first.image != other.image).any()


def at_most(draw: Draw, records: Path) -> None:
    for name in ("--num_images", "--max_num_images"):
        drawn = draw(name, 1, command="batch", source=records)
        assert len([file for file in drawn.files if file.endswith("-0.png")]) == 1


# ---------------------------------------------------------------- the page


def resolution(draw: Draw, records: Path) -> None:
    for name in ("-r", "--resolution"):
        assert draw(name, 300).image.shape == (2550, 3300, 3)  # a letter page


def padding(draw: Draw, records: Path) -> None:
    plain, padded = draw(), draw("--pad_inches", 1)
    assert padded.image.shape == (plain.image.shape[0] + 120, plain.image.shape[1] + 120, 3)
    inside = np.zeros(padded.image.shape[:2], dtype=bool)
    inside[60:-60, 60:-60] = True
    assert (padded.image[~inside] == 255).all()
    assert (padded.image[60:-60, 60:-60] == plain.image).all()
    assert padded.kit["pad_inches"] == 1


def columns(draw: Draw, records: Path) -> None:
    for asked, found in ((-1, 4), (1, 1), (2, 2)):
        traces = draw("--num_columns", asked).document["labels"]["traces"]
        assert 1 + max(trace["column"] for trace in traces) == found


def rhythm_strip(draw: Draw, records: Path) -> None:
    for asked, found in (("II", ["II"]), ("V1", ["V1"]), ("None", []), ("V9", ["I"])):
        traces = draw("--full_mode", asked).document["labels"]["traces"]
        assert [trace["lead"] for trace in traces if trace["rhythm"]] == found


def random_resolution(draw: Draw, records: Path) -> None:
    drawn = draw("-r", 90, "--random_resolution", "--variants", 8)
    found = [document["image"]["dpi"] for document in drawn.documents]
    assert len(set(found)) > 4
    assert all(50 <= dpi <= 90 for dpi in found)


def random_padding(draw: Draw, records: Path) -> None:
    drawn = draw("--random_padding", "--pad_inches", 1, "--variants", 6)
    found = [document["plan"]["page"]["style"]["pad"] for document in drawn.documents]
    assert len(set(found)) == 6
    assert all(0 <= pad <= 25.4 for pad in found)
    assert "--random_padding has no effect without --pad_inches." in draw("--random_padding").outcome.stderr


def pulse(draw: Draw, records: Path) -> None:
    for name in ("--random_dc", "--calibration_pulse"):
        assert draw(name, 0).document["labels"]["pulses"] == []
        assert len(draw(name, 1).document["labels"]["pulses"]) == 4


def grid(draw: Draw, records: Path) -> None:
    without = draw("--random_grid_present", 0)
    assert without.document["labels"]["grid"] is None
    assert np.ptp(without.image[100:500, 100:500].astype(int), axis=2).max() < 12  # no colour but the paper's own
    assert draw("--random_grid_present", 1).document["labels"]["grid"] is not None


def header_by_chance(draw: Draw, records: Path) -> None:
    for name in ("--random_print", "--random_print_header", "--random_add_header"):
        assert "header-text" in {text["role"] for text in draw(name, 1).texts}
        assert "header-text" not in {text["role"] for text in draw(name, 0).texts}
    some = draw("--random_add_header", 0.5, "--variants", 12).documents
    assert 0 < sum(document["header"]["printed"] for document in some) < 12


def header(draw: Draw, records: Path) -> None:
    texts = [text["text"] for text in draw("--print_header").texts if text["role"] == "header-text"]
    assert len(texts) > 3
    assert "header-text" not in {text["role"] for text in draw().texts}


def black_and_white(draw: Draw, records: Path) -> None:
    assert np.ptp(draw("--random_bw", 1).image.astype(int), axis=2).max() == 0
    assert np.ptp(draw("--random_bw", 0).image.astype(int), axis=2).max() > 20


def lead_names(draw: Draw, records: Path) -> None:
    drawn = draw("--deterministic_lead")
    names = [text for text in drawn.texts if text["role"] == "lead-name"]
    assert len(names) == len(drawn.document["labels"]["traces"])
    without = draw("--remove_lead_names")
    assert "lead-name" not in {text["role"] for text in without.texts}
    assert (without.image != drawn.image).any()


def grid_color(draw: Draw, records: Path) -> None:
    # Brown, pink, blue, green, red: which channel is lowest and which is highest where the paper is tinted most.
    weakest, strongest = (2, 1, 0, 0, 2), (0, 0, 2, 1, 0)
    for number in range(1, 6):
        image = draw("--standard_grid_color", number).image.reshape(-1, 3).astype(int)
        tint = image[np.ptp(image, axis=1).argmax()]
        assert (tint.argmin(), tint.argmax()) == (weakest[number - 1], strongest[number - 1])
    assert draw("--standard_grid_color", 6, bad=True).outcome.code == 2


def random_grid_color(draw: Draw, records: Path) -> None:
    drawn = draw("--random_grid_color", "--variants", 12)
    assert len({document["plan"]["page"]["style"]["grid_color"] for document in drawn.documents}) >= 4
    images = [cv2.imread(str(path)).reshape(-1, 3).astype(int) for path in drawn.named(".png")]
    assert len({tuple(image[np.ptp(image, axis=1).argmax()]) for image in images}) >= 4


def qr_code(draw: Draw, records: Path) -> None:
    drawn = draw("--add_qr_code", "-r", 200, command="batch", source=records)
    for name in ("a", "b/c"):
        text, *_ = cv2.QRCodeDetector().detectAndDecode(cv2.imread(str(drawn.out / f"{name}-0.png")))
        assert text == name
    assert draw().document["labels"]["qr"] is None


# ---------------------------------------------------------------- files


def masked(draw: Draw, records: Path) -> None:
    share = []
    for more in (("--mask_unplotted_samples",), ("--formats", "wfdb")):
        record = wfdb.rdrecord(str(draw(*more).out / "wfdb/ecgvec-demo-0"))
        share.append(np.isnan(record.p_signal).mean(axis=0))
        assert "II" in record.sig_name
    assert share[0][record.sig_name.index("II")] == 0  # the rhythm strip
    assert np.delete(share[0], record.sig_name.index("II")) == pytest.approx(0.75, abs=0.01)
    assert (share[1] == 0).all()
    idle = draw("--mask_unplotted_samples", "--formats", "json")
    assert "--mask_unplotted_samples has no effect without wfdb among --formats." in idle.outcome.stderr


def kit_levels(draw: Draw, records: Path) -> None:
    none, one, two = (draw("--store_config", level) for level in range(3))
    assert "kit/ecgvec-demo-0.json" not in none.files
    assert {"plotted_pixels", "lead_name"} <= set(one.kit["leads"][0])
    assert "grid_line_width" not in one.kit
    assert {"grid_line_width", "wrinkles", "rotate"} <= set(two.kit)
    for drawn in (one, two):
        assert not {"lead_bounding_box", "text_bounding_box"} & set(drawn.kit["leads"][0])
    assert {"lead_bounding_box", "text_bounding_box"} <= set(draw().kit["leads"][0])
    assert draw("--store_config", 3, bad=True).outcome.code == 2


def boxes(names: tuple[str, ...], key: str, other: str) -> Callable[[Draw, Path], None]:
    def check(draw: Draw, records: Path) -> None:
        for name in names:
            for level in (1, 2):
                leads = draw("--store_config", level, name).kit["leads"]
                assert all(set(lead[key]) == {"0", "1", "2", "3"} for lead in leads)
                assert not any(other in lead for lead in leads)
            idle = draw("--store_config", 0, name).outcome.stderr
            assert "has no effect with --store_config 0." in idle

    return check


def image_only(draw: Draw, records: Path) -> None:
    assert draw("--image_only").files == ["ecgvec-demo-0.png"]
    contradiction = draw("--image_only", "--formats", "json", bad=True)
    assert (contradiction.outcome.code, "contradict" in contradiction.outcome.stderr) == (2, True)


def fully_random(draw: Draw, records: Path) -> None:
    wrinkles, augment = {"creases", "crumple", "lamp", "wear"}, {"crop", "gaussian-noise", "temperature", "rotate"}
    found, written = [], set()
    for document in draw("--fully_random", "-rot", 5, "--variants", 16).documents:
        kinds = {part["kind"] for part in document["plan"]["warp"] + document["plan"]["effects"]}
        assert kinds & wrinkles in (set(), wrinkles)
        assert kinds & augment in (set(), augment)
        found.append((bool(kinds & wrinkles), bool(kinds & augment)))
        written.add((*found[-1], bool(document["plan"]["notes"])))
    assert len({coins[2] for coins in written}) == 2
    assert len(written) > 4  # a coin of its own
    assert set(found) == {(False, False), (False, True), (True, False), (True, True)}


def page_template(draw: Draw, records: Path) -> None:
    file = records.parent / "mine.toml"
    file.write_text('rows = [["V1", "I"], ["V2", "II"]]\n[page]\nseconds = 5\nmajor_width = 0.5\n')
    drawn = draw("--config_file", file)
    assert drawn.plan["page"]["rows"] == [["V1", "I"], ["V2", "II"]]
    assert len(drawn.documents) == 2  # pages of 5 s
    assert drawn.style["major_width"] == 0.5
    assert {trace["lead"] for trace in drawn.document["labels"]["traces"]} == {"V1", "V2", "I", "II"}


# ---------------------------------------------------------------- creases


def wrinkled(*flags: object) -> Callable[[Draw, Path], None]:
    """Creases under these flags: deterministic numbers stand, others are drawn up to the one that is given."""

    def check(draw: Draw, records: Path) -> None:
        switch = [f for f in flags if str(f).startswith("--det")]
        name, key, most = next((f, KEYS[str(f)], n) for f, n in itertools.pairwise(flags) if f in KEYS)
        drawn = draw("--wrinkles", *flags, "--variants", 1 if switch else 5)
        values = [
            next(part[key] for part in document["plan"]["warp"] if part["kind"] == "creases")
            for document in drawn.documents
        ]
        assert (
            all(v == most for v in values) if switch else all(0 <= v <= most for v in values) and len(set(values)) > 1
        )
        idle = draw(*flags).outcome.stderr
        assert f"{name} has no effect without --wrinkles." in idle
        assert not switch or f"{switch[0]} has no effect without --wrinkles." in idle

    return check


KEYS: dict[object, str] = {"-ca": "angle", "--crease_angle": "angle", "-nv": "vertical", "-nh": "horizontal"}


def wrinkles(draw: Draw, records: Path) -> None:
    plain, bent = draw(), draw("--wrinkles", "-ca", 45, "--deterministic_angle", "-se", 10)
    assert bent.parts["creases"]["angle"] == 45
    assert {"crumple", "lamp", "wear"} <= set(bent.parts)
    assert bent.image.shape == plain.image.shape
    assert (bent.image != plain.image).mean() > 0.2
    assert bent.kit["wrinkles"] is True
    assert not plain.kit["wrinkles"]
    assert (draw("--wrinkes", "-ca", 45, "--deterministic_angle", "-se", 10).image == bent.image).all()


# ---------------------------------------------------------------- turn, crop, noise, colour


def augment(draw: Draw, records: Path) -> None:
    drawn = draw("--augment")
    assert {"gaussian-noise", "temperature"} <= set(drawn.parts)
    assert 0 < drawn.style["crop"] <= 0.01


def turned(draw: Draw, records: Path) -> None:
    for name in ("-rot", "--rotate"):
        document = draw("--augment", name, 5, "--deterministic_rot").document
        h = np.array(document["image"]["homography"])
        assert math.degrees(math.atan2(h[1, 0], h[0, 0])) == pytest.approx(5, abs=0.01)
        several = draw("--augment", name, 5, "--variants", 8).documents
        angles = [next(p["angle"] for p in d["plan"]["warp"] if p["kind"] == "rotate") for d in several]
        assert all(-5 <= angle <= 5 for angle in angles)
        assert min(angles) < 0 < max(angles)
    idle = draw("-rot", 5, "--deterministic_rot").outcome.stderr
    assert "-rot has no effect without --augment." in idle
    assert "--deterministic_rot has no effect without --augment." in idle
    assert "--deterministic_rot has no effect without -rot." in draw("--augment", "--deterministic_rot").outcome.stderr


def noisy(draw: Draw, records: Path) -> None:
    drawn = draw(*flat("-noise", 40, "--deterministic_noise"))
    assert flat_part(drawn).std(axis=(0, 1)) == pytest.approx(40, rel=0.1)
    assert 1 <= draw("--augment", "-noise", 40).parts["gaussian-noise"]["sigma"] <= 40
    assert "-noise has no effect without --augment." in draw("-noise", 40).outcome.stderr


def cropped(draw: Draw, records: Path) -> None:
    plain = draw()
    for name in ("-c", "--crop"):
        drawn = draw("--augment", name, 0.1, "--deterministic_crop")
        assert drawn.image.shape[:2] == pytest.approx(np.array(plain.image.shape[:2]) * 0.8, abs=1.01)
        assert 0 < draw("--augment", name, 0.1).style["crop"] < 0.1
    assert "-c has no effect without --augment." in draw("-c", 0.1).outcome.stderr


def tempered(draw: Draw, records: Path) -> None:
    for name in ("-t", "--temperature"):
        warm, cold = (
            flat_part(draw(*flat(name, kelvin, "--deterministic_temp", "-noise", 1))).mean(axis=(0, 1))
            for kelvin in (3000, 40_000)
        )
        assert warm[0] / warm[2] > 1.2 > 0.9 > cold[0] / cold[2]
        assert 2000 <= draw("--augment", name, 6000).parts["temperature"]["kelvin"] <= 6000
    assert "-t has no effect without --augment." in draw("-t", 3000).outcome.stderr


# ---------------------------------------------------------------- handwriting


def notes(drawn: Drawn) -> list[dict[str, Any]]:
    """The labels of the first image's notes."""
    return [text for text in drawn.texts if text["role"] == "note"]


def corner(drawn: Drawn) -> tuple[float, float]:
    """Where the ink of the notes begins: x and y in px."""
    x, y = zip(*(note["box"][:2] for note in notes(drawn)), strict=True)
    return min(x), min(y)


def idle_without_hw_text(draw: Draw, *flags: object) -> None:
    said = draw(*flags).outcome.stderr
    for flag in flags:
        if str(flag).startswith("-"):
            assert f"{flag} has no effect without --hw_text." in said


def hw_text(draw: Draw, records: Path) -> None:
    plain, drawn = draw("-se", 3), draw("--hw_text", "-se", 3)
    assert not notes(plain)
    assert 1 <= len(notes(drawn)) <= 5
    changed = (plain.image != drawn.image).any(axis=2)
    for note in notes(drawn):
        x, y, wide, high = note["box"]
        part = changed[math.floor(y) : math.ceil(y + high), math.floor(x) : math.ceil(x + wide)]
        assert part.any()
        changed[math.floor(y) : math.ceil(y + high), math.floor(x) : math.ceil(x + wide)] = False
    assert not changed.any()
    assert (drawn.kit["handwritten_text"], plain.kit["handwritten_text"]) == (True, False)


def words(*names: str) -> Callable[[Draw, Path], None]:
    def check(draw: Draw, records: Path) -> None:
        for name in names:
            drawn = draw("--hw_text", name, 4, "--deterministic_num_words")
            assert len(notes(drawn)) == drawn.kit["num_words"] == 4
            counts = [len(notes(draw("--hw_text", name, 3, "-se", seed))) for seed in range(5)]
            assert len(set(counts)) > 1
            assert set(counts) <= {1, 2, 3}
        idle_without_hw_text(draw, "-n", 4, "--deterministic_num_words")

    return check


def offsets(draw: Draw, records: Path) -> None:
    fixed = ("--hw_text", "--deterministic_offset", "-r", 200)
    plain, drawn = draw("-r", 200), draw(*fixed, "--x_offset", 300, "--y_offset", 40)
    changed = (plain.image != drawn.image).any(axis=2)
    y, x = np.nonzero(changed)
    assert (x.min(), y.min()) == pytest.approx((300, 40), abs=1)
    assert (drawn.kit["x_offset_for_handwritten_text"], drawn.kit["y_offset_for_handwritten_text"]) == (300, 40)
    misspelt = draw(*fixed, "-x_offset", 300, "-y_offset", 40)
    assert (misspelt.image == drawn.image).all()
    left, top = zip(
        *(corner(draw("--hw_text", "--x_offset", 9, "--y_offset", 50, "-se", i)) for i in range(4)), strict=True
    )
    assert len(set(left)) > 1 < len(set(top))
    assert 0.99 <= min(left) <= max(left) <= 9.01
    assert 0.99 <= min(top) <= max(top) <= 50.01
    idle_without_hw_text(draw, "--x_offset", 9, "--y_offset", 9, "--deterministic_offset")


def written_size(draw: Draw, records: Path) -> None:
    def high(*flags: object) -> float:
        found = draw("--hw_text", "-n", 1, "--deterministic_num_words", "--x_offset", 1, *flags)
        return float(notes(found)[0]["box"][3])

    one, two = (high("--hws", size, "--deterministic_hw_size", "-se", 2) for size in (0.2, 0.4))
    assert two == pytest.approx(2 * one, rel=0.05)  # the pen is as wide as it was
    sizes = [draw("--hw_text", "--hws", 0.3, "-se", seed).plan["notes"][0]["x_height"] / 12.5 for seed in range(3)]
    assert len(set(sizes)) == 3
    assert 0.15 <= min(sizes) <= max(sizes) <= 0.3
    idle_without_hw_text(draw, "--hws", 0.4, "--deterministic_hw_size")


def terms(draw: Draw, records: Path) -> None:
    """Terms from elsewhere are what is written."""
    text = records / "terms.txt"
    text.write_text("Atrial fibrillation and left bundle branch block. Amiodarone was given.")
    for name in ("-l", "--link"):
        notes = draw("--hw_text", name, text, "-n", 3, "--deterministic_num_words").document["plan"]["notes"]
        assert {(note["origin"]["how"], note["origin"]["source"]) for note in notes} == {("from-text", "terms.txt")}
        assert {note["origin"]["label"] for note in notes} == {"RHYTHM", "CONDUCTION", "DRUG"}
        assert "-l has no effect without --hw_text." in draw(name, text).outcome.stderr
    missing = draw("--hw_text", "-l", "missing.txt", bad=True)
    assert missing.outcome.code == 2 and "missing.txt" in missing.outcome.stderr


# ---------------------------------------------------------------- the table

EFFECT: dict[str, Callable[[Draw, Path], None]] = {
    "-i": input_and_output,
    "-hea": header_elsewhere,
    "-o": input_and_output,
    "-st": start,
    "-se": seed,
    "--seed": seed,
    "-r": resolution,
    "--resolution": resolution,
    "--pad_inches": padding,
    "--num_columns": columns,
    "--full_mode": rhythm_strip,
    "--num_images": at_most,
    "--max_num_images": at_most,
    "--random_resolution": random_resolution,
    "--random_padding": random_padding,
    "--random_dc": pulse,
    "--calibration_pulse": pulse,
    "--random_grid_present": grid,
    "--random_print": header_by_chance,
    "--random_print_header": header_by_chance,
    "--random_add_header": header_by_chance,
    "--print_header": header,
    "--random_bw": black_and_white,
    "--deterministic_lead": lead_names,
    "--remove_lead_names": lead_names,
    "--standard_grid_color": grid_color,
    "--random_grid_color": random_grid_color,
    "--add_qr_code": qr_code,
    "--mask_unplotted_samples": masked,
    "--store_config": kit_levels,
    "--lead_bbox": boxes(("--lead_bbox", "--bbox"), "lead_bounding_box", "text_bounding_box"),
    "--bbox": boxes(("--bbox",), "lead_bounding_box", "text_bounding_box"),
    "--lead_name_bbox": boxes(("--lead_name_bbox",), "text_bounding_box", "lead_bounding_box"),
    "--store_text_bounding_box": boxes(("--store_text_bounding_box",), "text_bounding_box", "lead_bounding_box"),
    "--image_only": image_only,
    "--fully_random": fully_random,
    "--config_file": page_template,
    "--hw_text": hw_text,
    "-l": terms,
    "--link": terms,
    "--hws": written_size,
    "-n": words("-n"),
    "--num_words": words("--num_words"),
    "--x_offset": offsets,
    "--y_offset": offsets,
    "--deterministic_offset": offsets,
    "--deterministic_num_words": words("-n"),
    "--deterministic_hw_size": written_size,
    "--wrinkles": wrinkles,
    "-ca": wrinkled("-ca", 45),
    "--crease_angle": wrinkled("-ca", 45, "--deterministic_angle"),
    "-nv": wrinkled("-nv", 9),
    "-nh": wrinkled("-nh", 9),
    "--deterministic_angle": wrinkled("-ca", 45, "--deterministic_angle"),
    "--deterministic_vertical": wrinkled("-nv", 4, "--deterministic_vertical"),
    "--deterministic_horizontal": wrinkled("-nh", 4, "--deterministic_horizontal"),
    "--augment": augment,
    "-rot": turned,
    "--rotate": turned,
    "-noise": noisy,
    "-c": cropped,
    "--crop": cropped,
    "-t": tempered,
    "--temperature": tempered,
    "--deterministic_rot": turned,
    "--deterministic_noise": noisy,
    "--deterministic_crop": cropped,
    "--deterministic_temp": tempered,
}
CHECKS = list(dict.fromkeys(EFFECT.values()))


@pytest.mark.parametrize("check", CHECKS, ids=[next(n for n, c in EFFECT.items() if c is check) for check in CHECKS])
def test_what_the_flag_does(check: Callable[[Draw, Path], None], draw: Draw, records: Path) -> None:
    check(draw, records)


def test_every_flag_of_ecg_image_kit_is_in_the_table(shared: Path) -> None:
    rows = re.findall(r"^\| (`-.*?) \|", (shared / "reference/seed_flags.md").read_text(), flags=re.MULTILINE)
    flags = {name for row in rows for name in re.findall(r"`(-[\w-]+)`", row)}
    assert len(flags) > 60
    assert flags - set(EFFECT) == set()


@pytest.mark.parametrize("name", [name for name in EFFECT if name.startswith("--")])
def test_both_spellings_are_taken(name: str, draw: Draw) -> None:
    for spelling in (name, name.replace("_", "-")):
        stderr = draw(spelling, 1, "--no-such", bad=True).outcome.stderr  # the first that is unknown is refused
        assert "No such option: --no-such" in stderr


def test_two_leads_stand_below_one_another(record_folder: Path, draw: Draw) -> None:
    drawn = draw("-r", 60, source=record_folder / "cpsc2021_2lead/data_8_4", command="single")
    assert {trace["column"] for trace in drawn.document["labels"]["traces"]} == {0}


def test_misspelt_flags_are_taken_and_not_shown(draw: Draw) -> None:
    help_text = draw("--help").outcome.stdout
    assert "--wrinkes" not in help_text
    assert not re.search(r"(?<!-)-[xy]_offset", help_text)
    for name in ("-x_offset", "-y_offset"):
        assert f"-{name} has no effect without --hw_text." in draw(name, 7).outcome.stderr
