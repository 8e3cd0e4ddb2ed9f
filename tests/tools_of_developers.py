"""Imports scripts of tools/dev, which are no package."""

import importlib.util
import sys
from contextlib import contextmanager
from pathlib import Path

import pytest

FOLDER = Path(__file__).resolve().parent.parent / "tools" / "dev"


@contextmanager
def imported(name):
    """Import the script ``name`` as a module for a while."""
    spec = importlib.util.spec_from_file_location(name, FOLDER / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
        yield module
    finally:
        del sys.modules[name]


def tool_fixture(name):
    """Return a fixture of the script ``name``."""

    @pytest.fixture(scope="module")
    def tool():
        with imported(name) as module:
            yield module

    return tool
