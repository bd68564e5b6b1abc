"""The tests themselves: helpers lie in modules of their own, and what is left out of the fast ones exists."""

from __future__ import annotations

import ast

from tests.conftest import ROOT, SLOW


def test_no_test_module_is_imported() -> None:
    """A helper that two modules need belongs in a module without tests, or in a conftest."""
    found = []
    for path in (ROOT / "tests").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and (node.module or "").rpartition(".")[2].startswith("test_"):
                found.append(f"{path.relative_to(ROOT)}: {node.module}")
    assert found == []


def test_slow_tests_are_named_rightly() -> None:
    lines = [line for line in SLOW.read_text(encoding="utf-8").splitlines() if not line.startswith("#")]
    assert lines == sorted(set(lines))
    for line in lines:
        file, _, name = line.partition("::")
        tree = ast.parse((ROOT / file).read_text(encoding="utf-8"))
        assert not name or name in {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}, line
