"""Links and command lines of all pages work, pages that are made are fresh, and the checker sees what is wrong."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

import ecgvec
from ecgvec.recipe.recipe import load_recipe
from ecgvec.resources import listing
from tests.conftest import ROOT
from tools import check_docs, make_cookbook, make_flag_docs, make_part_docs, make_recipe_docs


def names(paths: list[Path]) -> list[str]:
    return [path.relative_to(ROOT).as_posix() for path in paths]


@pytest.mark.parametrize("name", names(check_docs.pages()))
def test_links_and_commands_work(name: str) -> None:
    assert check_docs.faults(ROOT / name) == []


def test_pages_that_are_made_are_fresh() -> None:
    """Else: make docs."""
    assert (ROOT / "docs/flags.md").read_text(encoding="utf-8") == make_flag_docs.page()
    for name in make_part_docs.PAGES:
        assert (ROOT / "docs" / name).read_text(encoding="utf-8") == make_part_docs.page(name)
    assert (ROOT / "docs/cookbook.md").read_text(encoding="utf-8") == make_cookbook.page()
    recipes = {name: load_recipe(name) for name in listing("recipes")}
    assert (ROOT / "docs/recipes.md").read_text(encoding="utf-8") == make_recipe_docs.page(recipes)


def test_every_page_can_be_reached_from_the_readme() -> None:
    seen, ahead = set(), [ROOT / "README.md"]
    while ahead:
        path = ahead.pop()
        if path in seen:
            continue
        seen.add(path)
        links = re.findall(r"\]\(([^)#:\s]+\.md)", path.read_text(encoding="utf-8"))
        ahead += [(path.parent / link).resolve() for link in links]
    assert set(names(check_docs.pages())) <= {path.relative_to(ROOT).as_posix() for path in seen}


def test_every_flag_is_in_the_reference() -> None:
    """Asked of --help, not of the tool that makes the page."""
    text = (ROOT / "docs/flags.md").read_text(encoding="utf-8")
    for command in (
        ["batch"],
        ["single"],
        ["verify"],
        ["gallery"],
        ["keywords"],
        ["recipes", "preview"],
        ["train", "keywords"],
    ):
        shown = subprocess.run(
            [sys.executable, str(ROOT / "cli.py"), *command, "--help"],
            capture_output=True,
            text=True,
            check=True,
            env={"COLUMNS": "300", "PATH": ""},
        ).stdout
        flags = set(re.findall(r"(?<![\w`-])--?[a-z][\w-]*(?=[\s,])", shown)) - {"--help", "-h"}
        assert flags
        missing = [
            flag
            for flag in flags
            if not re.search(rf"(?<![\w-]){flag}(?![\w-])", text.replace("_", "-").replace("\\", "") + text)
        ]
        assert not missing, (command, missing)


def test_the_program_and_the_citation_are_of_one_version() -> None:
    cited = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert cited["version"] == ecgvec.__version__
    assert {"cff-version", "message", "title", "authors"} <= set(cited)
    assert cited["license"] == "Apache-2.0"
    assert f"## {ecgvec.__version__}" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


def test_no_page_names_a_machine() -> None:
    for path in check_docs.pages():
        text = path.read_text(encoding="utf-8")
        assert not re.search(r"(?<![\w.])/(?:work|home|root|tmp/w)/", text), path


def test_the_pictures_of_the_readme_are_small() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    shown = [ROOT / name for name in re.findall(r"!\[[^\]]+\]\((docs/readme/[^)]+)\)", text)]
    sizes = [path.stat().st_size for path in shown]
    assert len(sizes) == 7 and set(shown) == set((ROOT / "docs/readme").iterdir())
    assert max(sizes) < 150_000 and sum(sizes) < 600_000


WRONG = {
    "[a](nowhere.md)": "leads nowhere",
    "[a](#nothing)": "no such heading",
    "![a](x.png)": "leads nowhere",
    '<img src="x.png" width="9">': "leads nowhere",
    "[a](http://)": "no address",
    "see `ecgvec/nothing.py`": "is not there",
    "`make nonsense`": "no target nonsense",
    "`ecgvec batch --nonsense`": "No such option",
    "`ecgvec nonsense`": "no such command",
    "    ecgvec batch -i IN": "Missing option",
    "    ecgvec batch -i IN -o OUT --formats png,jpgg": "jpgg",
    "    ecgvec batch -i IN -o OUT --recipe phone-foto": "phone-photo",
    "    ecgvec batch -i IN -o OUT \\\n        --speed 26": "26",
    "    COUNT=1 ecgvec verify out --tolerance x   # half a pixel": "tolerance",
    "    ecgvec verify out && ecgvec inspect": "Missing argument",
    "    sh examples/cookbook/99_nothing.sh": "is not there",
    "    python -m tools.nothing": "is not there",
    "```python\nimport ecgvec\nx = = 1\n```": "Python",
    "```python\nfrom ecgvec.svg import nothing\n```": "has no nothing",
}


@pytest.mark.parametrize("text", WRONG)
def test_the_checker_sees_what_is_wrong(text: str, tmp_path: Path) -> None:
    (tmp_path / "Makefile").write_text("docs:\n")
    (tmp_path / "page.md").write_text(f"# Title\n\n{text}\n")
    found = check_docs.faults(tmp_path / "page.md", tmp_path)
    assert len(found) == 1 and found[0].startswith("page.md:") and WRONG[text] in found[0]


RIGHT = """# Title: of `code`, 50 mm/s

[a](#title-of-code-50-mms), [b](page.md#again-1), <https://example.org>, [c](https://example.org/(x)), `ecgvec batch`.

## Again
## Again

    ecgvec batch -i "$in" -o OUT --mix "clean:1,fax:2" ${COUNT:+--max_num_images "$COUNT"} 2> log | tee log   # words
    cat > x <<'END'
    ecgvec nonsense
    END
    make docs

- an item

    that goes on, `ecgvec batch --shards SIZE`
"""


def test_the_checker_passes_what_is_right(tmp_path: Path) -> None:
    (tmp_path / "Makefile").write_text("docs:\n")
    (tmp_path / "page.md").write_text(RIGHT)
    assert check_docs.faults(tmp_path / "page.md", tmp_path) == []
