"""The examples in docstrings are run."""

import doctest
import importlib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
#: a module's name -> its file
SHOWING = {
    ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path
    for path in sorted((ROOT / "mmcgan").rglob("*.py"))
    if ">>> " in path.read_text(encoding="utf-8")
}
OPTIONS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE | doctest.IGNORE_EXCEPTION_DETAIL


def test_the_ways_in_show_how_they_are_used():
    """What a reader of the reference meets first has an example."""
    assert {
        "mmcgan.apis.sampling",
        "mmcgan.apis.inference",
        "mmcgan.config.load",
        "mmcgan.zoo.models",
        "mmcgan.structures",
        "mmcgan.losses.adversarial",
        "mmcgan.testing.objectives",
    } <= set(SHOWING)


@pytest.mark.parametrize("name", SHOWING)
def test_examples_say_what_happens(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MMCGAN_CACHE", str(tmp_path / "cache"))
    module = importlib.import_module(name)
    found = doctest.testmod(module, optionflags=OPTIONS)
    assert found.attempted and not found.failed
