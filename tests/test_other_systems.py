"""What Linux alone has is asked for with a way out, so that the rest works where it is missing."""

import ast
from pathlib import Path

import pytest

import mmcgan
import mmcgan.locks
from mmcgan.zoo.download import download
from tests.test_zoo.file_server import serving

PACKAGE = Path(mmcgan.__file__).parent
#: of Python's library, on systems like Unix alone
UNIX = {"crypt", "fcntl", "grp", "nis", "ossaudiodev", "posix", "pty", "pwd", "resource", "spwd", "syslog"}
UNIX |= {"termios", "tty"}


def imported(node):
    if isinstance(node, ast.Import):
        return {alias.name.partition(".")[0] for alias in node.names}
    if isinstance(node, ast.ImportFrom) and not node.level:
        return {node.module.partition(".")[0]}
    return set()


def guarded(tree):
    """Yield the nodes within a ``try`` that goes on after ImportError."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Try) and any("ImportError" in ast.dump(h) for h in node.handlers):
            yield from ast.walk(node)


@pytest.mark.parametrize(
    "text", ["import fcntl", "from pwd import getpwnam", "try:\n    import tty\nexcept OSError:\n    pass"]
)
def test_the_walk_finds_imports_without_a_way_out(text):
    assert unguarded(ast.parse(text))


def unguarded(tree):
    safe = set(map(id, guarded(tree)))
    return [node.lineno for node in ast.walk(tree) if imported(node) & UNIX and id(node) not in safe]


def test_nothing_needs_a_module_that_unix_alone_has():
    found = {str(path): unguarded(ast.parse(path.read_text("utf-8"))) for path in PACKAGE.rglob("*.py")}
    assert len(found) > 100
    assert {path: lines for path, lines in found.items() if lines} == {}


def test_a_download_arrives_where_there_are_no_locks(tmp_path, monkeypatch):
    monkeypatch.setattr(mmcgan.locks, "fcntl", None)
    with serving(b"weights") as server:
        path = download(server.url, tmp_path / "model.safetensors", server.sha256)
    assert path.read_bytes() == b"weights"
