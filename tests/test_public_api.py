"""The public names: documented, typed, and enough for a user's script, an effect of one's own and a batch of it."""

from __future__ import annotations

import ast
import inspect
import re
import subprocess
import sys
from pathlib import Path

import pytest

import ecgvec
from ecgvec import plugins
from tests.conftest import ROOT
from tools.check_docs import pages, read

PUBLIC = ("ecgvec", "ecgvec.datasets", "ecgvec.embed", "ecgvec.handwriting", "ecgvec.plugins", "ecgvec.svg")

SCRIPT = '''"""Render, load, read labels, register an effect, and draw a batch with it."""

import subprocess
import sys
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
from pydantic import Field

import ecgvec
from ecgvec.plugins import EFFECTS, Capture, Image, register


@register(EFFECTS)
class Dim(Capture):
    """Every pixel a little darker."""

    kind: Literal["dim"] = "dim"
    amount: Annotated[float, Field(ge=0, le=1)] = 0.2

    def capture(self, image: Image, scale: float) -> Image:
        """The picture times ``1 - amount``."""
        return np.asarray(np.rint(image * (1 - self.amount)), dtype=np.uint8)


def main(out: Path) -> None:
    record = ecgvec.read_demo_record()
    recipe = ecgvec.load_recipe("clean", {"page.dpi": 60, "effects.dim.amount": 0.5})
    sheet = ecgvec.render(record, recipe, seed=1)
    sheet.save(out / "one", ["png", "json"])
    page = ecgvec.load(out / "one" / f"{sheet.plan.stem}.json")
    leads = {trace.lead: trace.points for trace in page.labels.traces}
    print(sorted(leads), leads["II"].shape, page.plan.seed, int(sheet.image.max()), page.size)
    record.lead_names, sheet.labels.texts, sheet.warp.forward(leads["II"]), ecgvec.svg.read_traces(sheet.svg)
    (out / "mine.toml").write_text('plugins = ["../script.py"]\\n[page]\\ndpi = 60\\n[effects.dim]\\namount = 0.5\\n')
    batch = ["batch", "-i", sys.argv[2], "-o", str(out / "many"), "--recipe", str(out / "mine.toml")]
    subprocess.run([sys.executable, "-m", "ecgvec", *batch, "--workers", "2", "--variants", "2"], check=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
'''


@pytest.fixture
def script(tmp_path: Path) -> Path:
    path = tmp_path / "script.py"
    path.write_text(SCRIPT)
    return path


def test_all_names_are_there_and_documented() -> None:
    for module in (ecgvec, plugins):
        for name in module.__all__:
            thing = getattr(module, name)
            if inspect.isclass(thing) or inspect.isfunction(thing):
                assert inspect.getdoc(thing), name
    assert ecgvec.__all__ == sorted(ecgvec.__all__)
    with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
        ecgvec.nothing  # noqa: B018


def test_functions_stay_functions_when_their_modules_are_imported() -> None:
    code = "import ecgvec.cli.app, ecgvec.pipeline, ecgvec.planning.make, ecgvec.rendering.camera as _, ecgvec;"
    code += "assert all(callable(f) for f in (ecgvec.render, ecgvec.plan, ecgvec.load))"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_the_package_says_that_it_is_typed() -> None:
    assert (ROOT / "ecgvec" / "py.typed").is_file()


def test_a_users_script_is_typed(script: Path, tmp_path: Path) -> None:
    asked = script.with_name("asked.py")
    things = ("record", "recipe", "sheet", "sheet.labels", "sheet.labels.texts", "sheet.warp", "sheet.plan", "page")
    things += ("page.labels.traces[0]", "page.labels.traces[0].lead", "page.read_image()", "leads", "page.plan.effects")
    lines = "".join(f"    reveal_type({thing})\n" for thing in things)
    asked.write_text(SCRIPT.replace("    (out /", f"{lines}    (out /", 1))
    options = ["--strict", "--disallow-any-unimported", "--disallow-any-decorated", "--cache-dir", str(tmp_path / "c")]
    for path in (script, asked):
        command = [sys.executable, "-m", "mypy", *options, str(path)]
        done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)
        assert done.returncode == 0, done.stdout
    revealed = re.findall(r'Revealed type is "(.*)"', done.stdout)
    assert len(revealed) == len(things)
    for kind in revealed:  # NumPy's own arrays have Any for their shape
        assert "Any" not in re.sub(
            r"numpy\.ndarray\[(builtins\.)?tuple\[Any, \.\.\.\]|numpy\.ndarray\[Any", "", kind
        ), kind


def test_the_script_runs_and_its_effect_is_drawn_by_two_workers(
    script: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out"
    command = [sys.executable, str(script), str(out), str(ROOT / "demo")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "'aVF'" in done.stdout
    with pytest.raises(ecgvec.SourceError, match=r"plugins: 'script\.py' cannot be imported"):
        ecgvec.load(out / "many" / "ecgvec-demo-0-v0.json")
    monkeypatch.syspath_prepend(tmp_path)
    both = [ecgvec.load(out / "many" / f"ecgvec-demo-0-v{v}.json") for v in (0, 1)]
    alone = ecgvec.load(out / "one" / "ecgvec-demo-0.json")
    for page in (alone, *both):
        assert [effect.kind for effect in page.plan.effects] == ["dim"]
        assert 115 <= page.read_image().max() <= 128
    assert both[0].plan.plugins == ("script.py",)


def test_a_plugin_that_fails_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "broken.py").write_text("import nothing_of_the_sort\n")
    for name, words in (
        (
            "broken.py",
            r"'.*broken\.py' cannot be imported \(ModuleNotFoundError: No module named 'nothing_of_the_sort'\)",
        ),
        ("absent.py", r"'.*absent\.py' cannot be imported \(ModuleNotFoundError"),
        ("no.such.module", r"'no\.such\.module' cannot be imported"),
    ):
        recipe = tmp_path / "mine.toml"
        recipe.write_text(f'plugins = ["{name}"]\n')
        with pytest.raises(ecgvec.RecipeError, match=f"plugins: {words}") as caught:
            ecgvec.load_recipe(str(recipe))
        assert "\n" not in str(caught.value)
    recipe.write_text("plugins = 3\n")
    with pytest.raises(ecgvec.RecipeError, match="plugins is 3: write modules or files in a list"):
        ecgvec.load_recipe(str(recipe))


def test_an_installed_plugin_is_found(tmp_path: Path) -> None:
    (tmp_path / "my_marks.py").write_text(SCRIPT.partition("def main")[0])
    info = tmp_path / "my_marks-1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: my-marks\nVersion: 1\n")
    (info / "entry_points.txt").write_text("[ecgvec.plugins]\ndim = my_marks\n")
    code = "import ecgvec; print(ecgvec.load_recipe('clean', {'effects.dim.amount': 0.3}).effects['dim'].kind)"
    command = [sys.executable, "-c", f"import sys; sys.path.insert(0, {str(tmp_path)!r}); {code}"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "dim"


def imported(source: str) -> set[str]:
    """The modules of ecgvec that a piece of Python imports from."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] == "ecgvec":
            found.add(node.module)
        elif isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names if alias.name.split(".")[0] == "ecgvec"}
    return found


def test_docs_and_examples_import_public_modules_alone() -> None:
    found = ((path.name, block) for path in pages() for block in read(path).blocks)
    blocks = {f"{name}:{line}": "\n".join(code) for name, (line, kind, code) in found if kind == "python"}
    blocks |= {path.name: path.read_text() for path in sorted((ROOT / "examples").rglob("*.py"))}
    private = {where: imported(code) - set(PUBLIC) for where, code in blocks.items()}
    assert not {where: names for where, names in private.items() if names}
    assert len(blocks) > 10
