"""The example plugin: small, installable, and trained for one step by its config's name."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

PLUGIN = Path(__file__).resolve().parents[2] / "projects" / "example_plugin"
CONFIG = "cosine_biggan_digits-16"


@pytest.fixture(scope="module")
def environment(tmp_path_factory):
    """Install a copy of the plugin into a folder and return an environment that sees it."""
    source = shutil.copytree(PLUGIN, tmp_path_factory.mktemp("source") / "example_plugin")
    target = tmp_path_factory.mktemp("site")
    options = ["--quiet", "--no-deps", "--no-build-isolation", "--no-index", "--target", str(target)]
    subprocess.run([sys.executable, "-m", "pip", "install", *options, str(source)], check=True)
    return {**os.environ, "PYTHONPATH": os.pathsep.join([str(target), os.environ["PYTHONPATH"]])}


def test_it_trains_one_step(environment, tmp_path):
    command = [sys.executable, "-m", "mmcgan.cli", "check-config", CONFIG]
    done = subprocess.run(command, env=environment, cwd=tmp_path, capture_output=True, text=True)
    assert done.stdout.splitlines()[-1] == "1 passed, 0 failed", done.stdout + done.stderr
    assert list(tmp_path.iterdir()) == []


def test_its_mistakes_are_found_like_ours(environment, tmp_path):
    command = [sys.executable, "-m", "mmcgan.cli", "train", CONFIG]
    option = "model.losses.logistic.scales=2"
    done = subprocess.run(
        [*command, "--cfg-options", option], env=environment, cwd=tmp_path, capture_output=True, text=True
    )
    assert done.returncode == 2
    assert "model.losses.logistic.scales" in done.stderr and "Did you mean 'scale'" in done.stderr


def test_it_is_under_a_hundred_lines():
    files = [*PLUGIN.rglob("*.py"), *PLUGIN.rglob("*.toml")]
    assert len(files) == 5
    assert sum(len(file.read_text().splitlines()) for file in files) < 100
