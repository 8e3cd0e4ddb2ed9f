"""The example plugin: installed, trained, used by every command, uninstalled."""

import importlib.util
import os
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import pytest
import torch

from mmcgan.checkpoints.files import load_checkpoint

ROOT = Path(__file__).resolve().parents[2]
PLUGIN = ROOT / "projects" / "example_plugin"
CONFIG = "cosine_biggan_digits-16"
OWN_TESTS = ("-m", "pytest", "-q", "-n", "0", "-p", "no:cacheprovider")


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


@pytest.mark.broad  # seconds of processes
def test_its_mistakes_are_found_like_ours(environment, tmp_path):
    command = [sys.executable, "-m", "mmcgan.cli", "train", CONFIG]
    option = "model.losses.logistic.scales=2"
    done = subprocess.run(
        [*command, "--cfg-options", option], env=environment, cwd=tmp_path, capture_output=True, text=True
    )
    assert done.returncode == 2
    assert "model.losses.logistic.scales" in done.stderr and "Did you mean 'scale'" in done.stderr


def test_every_file_of_it_is_small():
    files = [*PLUGIN.rglob("*.py"), *PLUGIN.rglob("*.toml")]
    assert all(len(file.read_text().splitlines()) <= 60 for file in files)


NAMED = """
from mmcgan.condition_fields import field_names
from mmcgan.evaluation.report.metric_names import available_names
from mmcgan.extractors.names import extractor_config
from mmcgan.figure_directions import better
from mmcgan.registry import GENERATORS
from mmcgan.structures import Condition

print(extractor_config("random-features")["type"], "spread" in available_names(), better("feature_spread"))
print("joints" in field_names(), list(Condition.of({"joints": []}).present()))
print(GENERATORS.require("example.PerceptronGenerator").__name__)
"""


@pytest.mark.broad  # seconds of processes
def test_its_names_are_known_before_anything_was_loaded(environment, tmp_path):
    """Each line of the script is the first that a process asks: nothing else has imported the plugin."""
    imports, *questions = NAMED.strip().split("\n\n")
    asked = [f"{imports}\n{line}" for line in questions[0].splitlines()]
    command = [sys.executable, "-W", "error", "-c"]
    runs = [
        subprocess.Popen([*command, each], env=environment, cwd=tmp_path, stdout=subprocess.PIPE, text=True)
        for each in asked
    ]
    answers = [run.communicate()[0].strip() for run in runs]
    assert answers == ["RandomFeatures True greater", "True ['joints']", "PerceptronGenerator"]


@pytest.fixture(scope="module")
def room(tmp_path_factory):
    """Return an environment of its own that has the plugin's wheel."""
    folder = tmp_path_factory.mktemp("room")
    source = shutil.copytree(PLUGIN, folder / "source")
    build = [
        sys.executable,
        "-m",
        "pip",
        "wheel",
        "--quiet",
        "--no-deps",
        "--no-build-isolation",
        "--no-index",
    ]
    subprocess.run([*build, "--wheel-dir", str(folder), str(source)], check=True)
    shutil.rmtree(source)
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder / "venv")], check=True)
    python = folder / "venv" / "bin" / "python"
    # what the tests' own interpreter has installed, so that nothing is downloaded
    site = next((folder / "venv").rglob("site-packages"))
    (site / "tests_interpreter.pth").write_text("\n".join(site_packages()) + "\n")
    pip = [sys.executable, "-m", "pip", "--python", str(python)]
    (wheel,) = folder.glob("*.whl")
    subprocess.run([*pip, "install", "--quiet", "--no-deps", "--no-index", str(wheel)], check=True)
    return Room(python, folder, pip)


def site_packages():
    return [path for path in sys.path if path.endswith("site-packages")]


@dataclass
class Room:
    python: Path
    folder: Path
    pip: list

    def call(self, *words, good=True):
        """Run a command of mmcgan and return what it printed."""
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
        command = [str(self.python), "-m", "mmcgan", *map(str, words)]
        done = subprocess.run(command, env=environment, cwd=self.folder, capture_output=True, text=True)
        assert (done.returncode == 0) == good, f"{words}\n{done.stdout}\n{done.stderr}"
        return done.stdout + done.stderr

    def run_tests(self, folder):
        """Run a package's own tests."""
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
        command = [str(self.python), *OWN_TESTS, str(folder)]
        done = subprocess.run(command, env=environment, cwd=self.folder, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr

    def kill_at(self, file, *words):
        """Start a command and kill it when a file is there."""
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
        command = [str(self.python), "-m", "mmcgan", *map(str, words)]
        process = subprocess.Popen(
            command, env=environment, cwd=self.folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        end = time.monotonic() + 300
        while not file.exists() and process.poll() is None and time.monotonic() < end:
            time.sleep(0.1)
        process.kill()
        process.wait()
        assert file.exists()


@pytest.mark.slow
def test_its_whole_life_in_an_environment_of_its_own(room):
    here, config = room.folder, "example::perceptron_stripes-16"
    listed = room.call("plugins")
    assert "example: mmcgan-example-plugin 0.2.0, loaded" in listed
    assert "generator: PerceptronGenerator" in listed and "command count-parameters" in listed
    assert "7,064 parameters" in room.call("count-parameters", "stripes-16")

    room.call("train", config, "--work-dir", "whole")
    room.kill_at(here / "cut" / "iter_20.pth", "train", config, "--work-dir", "cut")
    room.call("train", config, "--work-dir", "cut", "--resume")
    whole, cut = (load_checkpoint(here / run / "iter_40.pth") for run in ("whole", "cut"))
    assert all(torch.equal(value, cut["state_dict"][key]) for key, value in whole["state_dict"].items())
    assert whole["meta"]["components"]["example.PerceptronGenerator"] == "mmcgan-example-plugin 0.2.0"

    room.call("export-weights", "whole/iter_40.pth", "mine.safetensors")
    room.call("sample", "mine.safetensors", "--num", 4, "--out", "samples", "--truncation", 0.5)
    room.call("interpolate", "mine.safetensors", "--out", "way.png")
    room.call("interpolate", "mine.safetensors", "--fix-z", "--out", "classes.png")
    room.call("sefa", "mine.safetensors", "--directions", 2, "--out", "sefa.png")
    if importlib.util.find_spec("onnxruntime") and importlib.util.find_spec("onnxscript"):
        room.call("export", "mine.safetensors", "mine.onnx")
    words = ("test", config, "whole/iter_40.pth", "--metrics", "spread", "--extractor", "random-features")
    assert "feature_spread" in room.call(*words)
    folders = ("evaluate-folders", "samples", "samples", "--any-size")
    assert "feature_spread" in room.call(*folders, "--extractor", "random-features", "--metrics", "spread")
    store = ("prepare-instances", "--images", "samples", "--unlabelled", "--k", 2, "--out", "store")
    room.call(*store, "--extractor", "random-features")
    room.call("push-to-hub", "mine.safetensors", "someone/stripes", "--dry-run", "card")
    page = (here / "card" / "README.md").read_text()
    assert 'pip install "mmcgan[hub]" "mmcgan-example-plugin==0.2.0"' in page and str(here) not in page

    room.run_tests(PLUGIN / "tests")
    subprocess.run([*room.pip, "uninstall", "--quiet", "--yes", "mmcgan-example-plugin"], check=True)
    look_at_the_messages(room, config, folders)


def look_at_the_messages(room, config, folders):
    """Assert what every command says of files of a plugin that is no longer there."""
    needed = "the plugin mmcgan-example-plugin 0.2.0 for 'example.PerceptronGenerator': not installed"
    for words in (
        ("sample", "mine.safetensors", "--out", "none"),
        ("sample", "whole/iter_40.pth", "--out", "none"),
        ("interpolate", "mine.safetensors", "--out", "none.png"),
        ("sefa", "mine.safetensors", "--out", "none.png"),
        ("restore", "--task", "inpaint", "--model", "mine.safetensors", "--out", "none", "samples.grid.png"),
    ):
        assert needed in room.call(*words, good=False), words
    assert "no installed plugin 'example'" in room.call("train", config, good=False)
    assert "no extractor 'random-features'" in room.call(
        *folders, "--extractor", "random-features", good=False
    )
    assert "no metric 'spread'" in room.call(
        *folders, "--extractor", "digits-16", "--metrics", "spread", good=False
    )
    assert "no command 'count-parameters'" in room.call("count-parameters", "x", good=False)
    assert "no plugins are installed" in room.call("plugins")
