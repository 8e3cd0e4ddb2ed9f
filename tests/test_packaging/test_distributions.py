"""Wheel and sdist hold what is needed: installed elsewhere, without the checkout, they train and sample."""

import os
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow  # builds, two environments, two trainings: minutes

ROOT = Path(__file__).resolve().parents[2]
#: what is tracked goes into a distribution; what lies around does not
COPY = ("mmcgan", "configs", "tools", "setup.py", "pyproject.toml", "MANIFEST.in", "README.md", "LICENSE")
COPY += ("CHANGELOG.md", "CONTRIBUTING.md", "model-index.yml")


def run(*command, cwd, **settings):
    made = subprocess.run(command, cwd=cwd, capture_output=True, text=True, **settings)
    assert made.returncode == 0, f"{command}\n{made.stdout[-3000:]}\n{made.stderr[-3000:]}"
    return made.stdout


@pytest.fixture(scope="module")
def distributions(tmp_path_factory):
    pytest.importorskip("build", reason="build is not installed: pip install build twine")
    source = tmp_path_factory.mktemp("source")
    for name in COPY:
        place = ROOT / name
        ignore = shutil.ignore_patterns("__pycache__", ".mim")
        (
            shutil.copytree(place, source / name, ignore=ignore)
            if place.is_dir()
            else shutil.copy(place, source)
        )
    run(sys.executable, "-m", "build", "--no-isolation", ".", cwd=source)
    return {file.suffix: file for file in (source / "dist").iterdir()}


def test_twine_finds_nothing(distributions):
    pytest.importorskip("twine", reason="twine is not installed: pip install twine")
    said = run(sys.executable, "-m", "twine", "check", "--strict", *distributions.values(), cwd=ROOT)
    assert said.count("PASSED") == 2


def test_both_hold_configs_weights_and_data_files(distributions):
    with zipfile.ZipFile(distributions[".whl"]) as wheel:
        names = wheel.namelist()
    with tarfile.open(distributions[".gz"]) as archive:
        source = [name.partition("/")[2] for name in archive.getnames()]
    for needed in ("mmcgan/py.typed", "mmcgan/weights/index.json", "mmcgan/demo/tabs/sample.py"):
        assert needed in names and needed in source
    assert "mmcgan/.mim/configs/biggan/biggan_digits-16.py" in names
    assert "configs/biggan/biggan_digits-16.py" in source
    assert not [name for name in names if "__pycache__" in name or name.startswith("tests")]


@pytest.mark.parametrize("kind", [".whl", ".gz"])
def test_what_is_installed_trains_and_samples_outside_the_checkout(distributions, kind, tmp_path):
    environment = tmp_path / "environment"
    run(sys.executable, "-m", "venv", "--system-site-packages", environment, cwd=tmp_path)
    # an environment made from one does not see its packages
    site = next((environment / "lib").glob("python*/site-packages"))
    outer = [path for path in sys.path if path.endswith("site-packages")]
    (site / "outer.pth").write_text("\n".join(outer))
    python = environment / "bin" / "python"
    clean = {key: value for key, value in os.environ.items() if key not in ("PYTHONPATH", "MMCGAN_CONFIGS")}
    clean |= {"MMCGAN_CACHE": str(tmp_path / "cache"), "OMP_NUM_THREADS": "1"}
    options = ["--no-deps", "--no-build-isolation", "--no-index", "--force-reinstall", "-q"]
    run(python, "-m", "pip", "install", *options, distributions[kind], cwd=tmp_path, env=clean)
    where = run(python, "-c", "import mmcgan; print(mmcgan.__file__)", cwd=tmp_path, env=clean)
    assert Path(where.strip()).is_relative_to(environment)
    few = ["--cfg-options", "train_cfg.max_iters=2", "train_cfg.val_interval=100"]
    run(
        python,
        "-m",
        "mmcgan",
        "train",
        "biggan_digits-16",
        "--work-dir",
        "run",
        *few,
        cwd=tmp_path,
        env=clean,
    )
    assert list((tmp_path / "run").glob("*.pth"))
    run(python, "-m", "mmcgan", "sample", "biggan_digits-16", "--num", "4", cwd=tmp_path, env=clean)
    assert len(list((tmp_path / "samples").glob("*.png"))) == 4
