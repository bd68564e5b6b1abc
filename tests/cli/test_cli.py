"""The command line: help, flags, start-up."""

from __future__ import annotations

import json
import subprocess
import sys
import time
import tomllib
from pathlib import Path
from typing import Any

import pytest

from ecgvec.cli.bent_flags import AUGMENTED, RANGES, WRINKLED
from ecgvec.cli.flag import Flag
from ecgvec.cli.flags import ALL_FLAGS, FLAGS, overrides
from ecgvec.effects.base import EFFECTS as ALL_EFFECTS
from ecgvec.layout.style import PageStyle
from ecgvec.recipe.recipe import Recipe, load_recipe
from ecgvec.resources import folder
from ecgvec.viewer.demo import PAGES
from ecgvec.warp import WARPS
from tests.conftest import ROOT, Run

DEMO = folder("demo") / "ecgvec-demo"
FLOOR = "import typer, typer.rich_utils, rich.panel, rich.table, rich.markdown"


def plan_of(out: Path) -> dict[str, Any]:
    plan: dict[str, Any] = json.loads((out / "ecgvec-demo-0.json").read_text())["plan"]
    return plan


@pytest.mark.parametrize("command", [(), ("batch",), ("single",), ("replay",), ("demo",), ("recipes",), ("templates",)])
def test_help_lists_groups_and_answers_at_once(command: tuple[str, ...], ecgvec_run: Run) -> None:
    def seconds(arguments: list[str]) -> float:
        start = time.perf_counter()
        subprocess.run([sys.executable, *arguments], check=True, capture_output=True)
        return time.perf_counter() - start

    done = ecgvec_run(*command, "--help")
    assert done.returncode == 0
    if command in {(), ("batch",), ("single",)}:
        for group in dict.fromkeys(flag.group for flag in ALL_FLAGS):
            assert group in done.stdout
    # Against the floor of any Typer program in the same run: typer and rich loaded, and nothing done.
    pairs = [(seconds([str(ROOT / "cli.py"), *command, "--help"]), seconds(["-c", FLOOR])) for _ in range(2)]
    assert min(ours for ours, _ in pairs) <= 8 * min(floor for _, floor in pairs)


def test_help_gives_every_flag_its_default(ecgvec_run: Run) -> None:
    words = " ".join(ecgvec_run("--help").stdout.split())
    for flag in ALL_FLAGS:
        assert flag.long_name in words
        assert f"({flag.shown})" in words


@pytest.mark.parametrize("flag", ALL_FLAGS, ids=lambda flag: flag.parameter)
def test_every_flag_has_its_twin_in_a_recipe(flag: Flag) -> None:
    section, *parts, key = flag.key.split(".")
    if section in ("warp", "effects"):
        registry = WARPS if section == "warp" else ALL_EFFECTS
        assert key == "probability" or key in registry.get(parts[0]).model_fields
    elif section == "page":
        assert key in PageStyle.model_fields
    else:
        model = Recipe.model_fields[section].annotation
        assert key in model.model_fields  # type: ignore[union-attr]


SHOWN = {
    "": "none",
    "None": ("as the gain", "by grid colour", "all", "every full window"),
    "False": "no",
    "True": "yes",
}


@pytest.mark.parametrize("flag", [f for f in FLAGS if f.key.startswith("page.")], ids=lambda flag: flag.parameter)
def test_shown_defaults_are_the_true_ones(flag: Flag) -> None:
    default = PageStyle.model_fields[flag.key.split(".")[1]].default
    shown = flag.shown.split()[0] if isinstance(default, float) else flag.shown
    special = {
        "standard_grid_color": "5",  # which is red
        "random_grid_color": "no",
        "random_bw": "0",
        "random_print_header": "0",
        "random_grid_present": "1",
        "calibration_pulse": "1",
        "footer": "speed, gain, filter",
        "deterministic_lead": "yes",
        "remove_lead_names": "no",
    }
    expected = special.get(flag.parameter) or SHOWN.get(str(default)) or str(default)
    assert shown in expected if isinstance(expected, tuple) else shown == expected.removesuffix(".0")


@pytest.mark.parametrize("module", ["torch", "spacy", "ray", "pydantic", "numpy", "wfdb", "cv2"])
def test_help_imports_nothing_heavy(module: str) -> None:
    code = f"import sys; from ecgvec.cli import app; assert '{module}' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT)


def test_drawing_imports_neither_torch_nor_spacy(tmp_path: Path) -> None:
    code = (
        f"import sys; sys.argv = ['ecgvec', 'single', '-i', {str(DEMO)!r}, '-o', {str(tmp_path)!r}, '-r', '50']\n"
        "from ecgvec.cli import main\n"
        "try: main()\n"
        "except SystemExit as stop: assert not stop.code, stop.code\n"
        "assert not {'torch', 'spacy', 'ray'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT)
    assert (tmp_path / "ecgvec-demo-0.png").is_file()


def test_underscores_and_hyphens_are_the_same(tmp_path: Path, ecgvec_run: Run) -> None:
    for number, spelling in enumerate(("--add_qr_code --print_header", "--add-qr-code --print-header")):
        out = tmp_path / str(number)
        done = ecgvec_run("single", "-i", DEMO, "-o", out, *spelling.split(), "--formats", "json")
        assert done.returncode == 0, done.stderr
    assert (tmp_path / "0/ecgvec-demo-0.json").read_bytes() == (tmp_path / "1/ecgvec-demo-0.json").read_bytes()


@pytest.mark.parametrize("seed", ["-se", "--seed"])
def test_both_spellings_of_seed(tmp_path: Path, ecgvec_run: Run, seed: str) -> None:
    ecgvec_run("single", "-i", DEMO, "-o", tmp_path, seed, "123", "--formats", "json")
    assert plan_of(tmp_path)["seed"] == 123


EFFECTS: dict[str, tuple[str, object]] = {
    "--speed 50 --fit": ("page.style.speed", 50),
    "--gain 20": ("page.style.gain", 20),
    "--chest-gain 5": ("page.style.chest_gain", 5),
    "--full_mode V1": ("page.rhythm", ["V1"]),
    "--full_mode None": ("page.rhythm", []),
    "--num_columns 2": ("page.template", "2-columns"),
    "--column-timing simultaneous": ("page.style.column_timing", "simultaneous"),
    "--leads V1,V2": ("page.rows", [["V1"], ["V2"]]),
    "--cabrera --template 1-column --leads I,II,III,aVR,aVL,aVF": (
        "page.rows",
        [["aVL"], ["I"], ["-aVR"], ["II"], ["aVF"], ["III"]],
    ),
    "--standard_grid_color 3": ("page.style.grid_color", "blue"),
    "--random_grid_present 0": ("page.style.grid_present", False),
    "--random_bw 1": ("page.style.bw", True),
    "--calibration_pulse 0": ("page.style.calibration_pulse", False),
    "--random_dc 0": ("page.style.calibration_pulse", False),
    "--remove_lead_names": ("page.style.lead_names", "none"),
    "--deterministic_lead": ("page.style.lead_names", "above"),
    "--random_add_header 1": ("page.style.print_header", True),
    "--resolution 77": ("page.style.dpi", 77),
    "--seconds 5": ("page.seconds", 5),
    "--derive-leads --leads I,II": ("record.derive_leads", True),
    "-st 100": ("window.first", 100),
    "--config_file hospital": ("page.template", "hospital"),
}


@pytest.mark.parametrize("arguments", EFFECTS)
def test_each_flag_reaches_the_plan(tmp_path: Path, ecgvec_run: Run, arguments: str) -> None:
    done = ecgvec_run("single", "-i", DEMO, "-o", tmp_path, *arguments.split(), "--formats", "json")
    assert done.returncode == 0, done.stderr
    key, expected = EFFECTS[arguments]
    value: Any = plan_of(tmp_path)
    for part in key.split("."):
        value = value[part]
    assert value == expected


def test_random_resolution_is_drawn_below_the_one_given(tmp_path: Path, ecgvec_run: Run) -> None:
    arguments = ("-r", "120", "--random_resolution", "--variants", "8", "--formats", "json")
    ecgvec_run("single", "-i", DEMO, "-o", tmp_path, *arguments)
    drawn = [json.loads((tmp_path / f"ecgvec-demo-0-v{v}.json").read_text())["image"]["dpi"] for v in range(8)]
    assert len(set(drawn)) > 4
    assert all(50 <= dpi <= 120 for dpi in drawn)


def test_own_recipe_gives_what_flags_give(tmp_path: Path, ecgvec_run: Run) -> None:
    recipe = tmp_path / "mine.toml"
    recipe.write_text(
        'extends = "clean"\ntitle = "A clean page, as it leaves the printer"\n[page]\nspeed = 50\nfit = true\n'
    )
    for out, flags in (("a", ("--recipe", recipe)), ("b", ("--speed", "50", "--fit"))):
        ecgvec_run("single", "-i", DEMO, "-o", tmp_path / out, *flags, "--formats", "png,json")
    for name in ("ecgvec-demo-0.png", "ecgvec-demo-0.json"):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()


def test_flags_that_were_not_given_change_nothing() -> None:
    assert overrides({flag.parameter: None for flag in ALL_FLAGS}) == {}
    assert load_recipe("clean", overrides({})) == load_recipe("clean")


def test_demo_says_where_the_pictures_are(tmp_path: Path, ecgvec_run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    some = {title: {**page, "dpi": 50} for title, page in list(PAGES.items())[::4]}
    monkeypatch.setattr("ecgvec.viewer.demo.PAGES", some)
    done = ecgvec_run("demo", "-o", tmp_path / "d")
    assert done.returncode == 0, done.stderr
    listed = [Path(line.split("   ")[0]) for line in done.stdout.splitlines() if ".png" in line]
    assert len(listed) == len(some) + 1 and len(PAGES) >= 9
    assert all(path.is_file() for path in listed)
    page = (tmp_path / "d/index.html").read_text()
    assert all(path.relative_to(tmp_path / "d").as_posix() in page for path in listed)


def test_lists_and_checks(tmp_path: Path, ecgvec_run: Run) -> None:
    assert "clean" in ecgvec_run("recipes", "list").stdout
    assert "3x4+1R" in ecgvec_run("templates").stdout
    assert tomllib.loads(ecgvec_run("recipes", "show", "clean").stdout)["title"]
    mine = tmp_path / "mine.toml"
    mine.write_text("[layout]\ntemplate = '3x5'\n")
    done = ecgvec_run("recipes", "check", mine)
    assert done.returncode == 2
    assert "unknown template '3x5'" in done.stderr


def test_traceback_on_request(ecgvec_process: Run) -> None:
    plain, full = (ecgvec_process(*more, "recipes", "show", "nothing") for more in ((), ("--traceback",)))
    assert plain.stderr.count("\n") == 1
    assert "Traceback" in full.stderr


def test_version(ecgvec_process: Run) -> None:
    done = ecgvec_process("--version")
    assert done.returncode == 0
    assert done.stdout.strip() == "ecgvec 0.1.0"


def test_numbers_bound_ranges_unless_deterministic() -> None:
    both = {"wrinkles": True, "augment": True}
    given = overrides({"ca": 45, "nv": 7, "nh": 1, "rot": 5, "c": 0.1, "noise": 9, "t": 5000, **both})
    asked = {key: value for key, value in given.items() if value != WRINKLED.get(key)}
    assert asked == {
        "warp.creases.angle": {"integer": [0, 45]},
        "warp.creases.vertical": {"integer": [1, 7]},
        "warp.creases.horizontal": {"integer": [1, 1]},
        "warp.rotate.angle": {"integer": [-5, 5]},
        "page.crop": {"uniform": [0.0, 0.1]},
        "effects.gaussian-noise.sigma": {"integer": [1, 9]},
        "effects.temperature.kelvin": {"integer": [2000, 5000]},
    }
    switches = {as_given.parameter: True for _, _, as_given, _ in RANGES}
    fixed = overrides({"ca": 45, "nv": 7, "nh": 1, "rot": 5, "c": 0.1, "noise": 9, "t": 5000, **both, **switches})
    assert [fixed[row.key] for _, row, _, _ in RANGES] == [45, 7, 1, 5, 0.1, 9, 5000]


def test_a_flag_that_needs_another_says_that_it_has_no_effect(tmp_path: Path, ecgvec_run: Run) -> None:
    record = ROOT / "demo" / "ecgvec-demo"
    formats = ("-r", 60, "--formats", "png,json")
    done = ecgvec_run("single", "-i", record, "-o", tmp_path / "a", *formats, "-ca", 45, "-rot", 5)
    assert done.returncode == 0
    assert "-ca has no effect without --wrinkles." in done.stderr
    assert "-rot has no effect without --augment." in done.stderr
    assert json.loads((tmp_path / "a" / "ecgvec-demo-0.json").read_text())["plan"]["warp"] == []
    recipe = tmp_path / "mine.toml"
    recipe.write_text("[warp.creases]\nangle = 10\n")
    switches = ("-ca", 45, "--deterministic_angle")
    done = ecgvec_run("single", "-i", record, "-o", tmp_path / "b", *formats, "--recipe", recipe, *switches)
    assert done.returncode == 0 and "no effect" not in done.stderr
    (creases,) = json.loads((tmp_path / "b" / "ecgvec-demo-0.json").read_text())["plan"]["warp"]
    assert creases["angle"] == 45


def test_wrinkles_without_numbers_take_the_documented_ones() -> None:
    drawn = overrides({"wrinkles": True})
    assert drawn["warp.creases.angle"] == {"integer": [0, 90]}
    assert drawn["warp.creases.vertical"] == drawn["warp.creases.horizontal"] == {"integer": [1, 10]}
    fixed = overrides({"wrinkles": True, "deterministic_angle": True, "deterministic_vertical": True})
    assert (fixed["warp.creases.angle"], fixed["warp.creases.vertical"]) == (90, 10)
    assert overrides({"augment": True}) == AUGMENTED


def test_the_drawn_values_are_in_the_plan(tmp_path: Path, ecgvec_run: Run) -> None:
    flags = ["--wrinkles", "-ca", 45, "-nv", 4, "-nh", 3, "--augment", "-rot", 9, "-c", 0.1, "-se", 3, "-r", 60]
    for switches in ([], [f"--deterministic_{name}" for name in ("angle", "vertical", "horizontal", "rot", "crop")]):
        out = tmp_path / str(len(switches))
        done = ecgvec_run(
            "single", "-i", ROOT / "demo" / "ecgvec-demo", "-o", out, "--formats", "png,json", *flags, *switches
        )
        assert done.returncode == 0, done.stderr
        plan = json.loads((out / "ecgvec-demo-0.json").read_text())["plan"]
        parts = {part["kind"]: part for part in plan["warp"]}
        drawn = [parts["creases"][k] for k in ("angle", "vertical", "horizontal")] + [parts["rotate"]["angle"]]
        crop = plan["page"]["style"]["crop"]
        if switches:
            assert [*drawn, crop] == [45, 4, 3, 9, 0.1]
        else:
            assert 0 <= drawn[0] <= 45 and 1 <= drawn[1] <= 4 and 1 <= drawn[2] <= 3 and -9 <= drawn[3] <= 9
            assert 0 < crop < 0.1
