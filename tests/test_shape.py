"""How large files and functions of the code may be, how deep blocks in them, and how long files of tests."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SIZED = ("mmcgan", "tools", "benchmarks", "projects")
FOLDERS = (*SIZED, "tests")
FILE_LINES, FUNCTION_LINES, DEPTH = 350, 60, 3
BLOCKS = (ast.If, ast.For, ast.While, ast.With, ast.Try)
SCOPES = (ast.FunctionDef, ast.ClassDef, ast.Lambda)


def depth(node):
    """Return how many blocks lie inside each other below ``node``; an ``elif`` lies inside its ``if``."""
    deepest = 0
    for child in ast.iter_child_nodes(node):
        if isinstance(child, SCOPES):
            continue
        deepest = max(deepest, depth(child) + isinstance(child, BLOCKS))
    return deepest


def too_long(path):
    """Yield what is said of a file of too many lines."""
    if (lines := len(path.read_text(encoding="utf-8").splitlines())) > FILE_LINES:
        yield f"{path}: {lines} lines, at most {FILE_LINES}"


def too_large(path):
    """Yield what is too large or too deep in a file."""
    yield from too_long(path)
    text = path.read_text(encoding="utf-8")
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef):
            where = f"{path}:{node.lineno} {node.name}"
            if (lines := node.end_lineno - node.lineno + 1) > FUNCTION_LINES:
                yield f"{where}: {lines} lines, at most {FUNCTION_LINES}"
            if (levels := depth(node)) > DEPTH:
                yield f"{where}: {levels} blocks inside each other, at most {DEPTH}"


@pytest.mark.parametrize("folder", SIZED)
def test_files_and_functions_can_be_taken_in_at_a_glance(folder):
    paths = sorted((ROOT / folder).rglob("*.py"))
    assert [fault for path in paths for fault in too_large(path)] == []


def test_files_of_tests_are_no_longer_than_others():
    paths = sorted((ROOT / "tests").rglob("*.py"))
    assert len(paths) > 1
    assert [fault for path in paths for fault in too_long(path)] == []


def test_what_is_too_large_is_found(tmp_path):
    path = tmp_path / "large.py"
    path.write_text(
        "def long():\n"
        + "    x = 1\n" * FUNCTION_LINES
        + "def deep():\n    if a:\n        for b in c:\n            with d:\n                if e:\n"
        "                    pass\n" + "y = 1\n" * FILE_LINES
    )
    size, first, second = too_large(path)
    assert "lines, at most 350" in size
    assert first.endswith("long: 61 lines, at most 60")
    assert second.endswith("deep: 4 blocks inside each other, at most 3")


def test_private_names_stay_in_their_file():
    found = []
    for folder in FOLDERS:
        for path in sorted((ROOT / folder).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                ours = isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] in FOLDERS
                names = [alias.name for alias in node.names] if ours else []
                found += [
                    f"{path}:{node.lineno} {name}" for name in names if name[0] == "_" and name[1] != "_"
                ]
    assert found == []
