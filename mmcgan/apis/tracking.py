"""Where a run shows its figures besides its own files: TensorBoard, Weights & Biases, MLflow.

These are MMEngine's backends, but for what they send besides; each gets the config, every logged figure and
the sample grids. All three work without a network: TensorBoard and MLflow write to the run's folder, and
Weights & Biases does with ``WANDB_MODE=offline``.
"""

from __future__ import annotations

import importlib.util
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from mmengine.config import Config
from mmengine.visualization import MLflowVisBackend, WandbVisBackend

from mmcgan.registry import VISBACKENDS
from mmcgan.suggestions import nearest


@VISBACKENDS.register_module()
class MLflowPictures(MLflowVisBackend):
    """MMEngine's backend of MLflow, with the ending by which MLflow knows what a picture is.

    At the end it keeps the log. MMEngine's would copy every JSON, YAML and Python file of the work folder,
    MLflow's own records among them, so that they grow with every start of a run.
    """

    def add_image(self, name: str, image: np.ndarray, step: int = 0, **kwargs: Any) -> None:
        """Record a picture (H, W, 3) under its name and step."""
        super().add_image(f"{name}_{step:07d}.png", image, step, **kwargs)

    def close(self) -> None:
        """Keep the log of this start, and end the run."""
        if not hasattr(self, "_mlflow"):
            return
        for log in sorted(Path(self._save_dir).parent.glob("*.log")):
            self._mlflow.log_artifact(str(log))
        self._mlflow.end_run()


@VISBACKENDS.register_module()
class WandbFigures(WandbVisBackend):
    """MMEngine's backend of Weights & Biases, which sends the config and not the code.

    MMEngine's would upload every Python file below the folder that the run was started in.
    """

    def add_config(self, config: Config, **kwargs: Any) -> None:
        """Record the config."""
        self.experiment.config.update(config.to_dict(), allow_val_change=True)


@dataclass(frozen=True)
class Tracker:
    """A dashboard.

    Attributes:
        backend: MMEngine's type of it.
        package: what must be installed.
        extra: of this package that installs it.
        check: raises a ValueError if it could not start.
    """

    backend: str
    package: str
    extra: str
    check: Callable[[], None] = lambda: None


def check_wandb() -> None:
    """Refuse to start where Weights & Biases would send figures to nobody's account.

    At a terminal it asks who one is by itself.

    Raises:
        ValueError: nobody is logged in, nobody can be asked, and it is not to stay on this machine.
    """
    import wandb

    online = wandb.setup().settings.mode == "online"
    if online and not sys.stdin.isatty() and not wandb.login(prompt=False, verify=False):
        raise ValueError(
            "--track wandb: nobody is logged in to Weights & Biases; run `wandb login`, set WANDB_API_KEY, "
            "or set WANDB_MODE=offline to keep everything on this machine"
        )


TRACKERS = {
    "tensorboard": Tracker("TensorboardVisBackend", "tensorboard", "tensorboard"),
    "wandb": Tracker("WandbFigures", "wandb", "wandb", check_wandb),
    "mlflow": Tracker("MLflowPictures", "mlflow", "mlflow"),
}


def add_trackers(cfg: Config, names: Sequence[str]) -> None:
    """Let the run of ``cfg`` show its figures in more places.

    Args:
        cfg: its ``visualizer`` is changed.
        names: keys of :data:`TRACKERS`.

    Raises:
        ImportError: what one of them needs is not installed; names the extra.
        ValueError: an unknown name, or one that could not start.
    """
    # MLflow 3 asks for this before it writes to a folder, which is what needs no server
    os.environ.setdefault("MLFLOW_ALLOW_FILE_STORE", "true")
    for name in dict.fromkeys(names):
        if name not in TRACKERS:
            raise ValueError(f"--track {name}: no such tracker.{nearest(name, list(TRACKERS))}")
        tracker = TRACKERS[name]
        if importlib.util.find_spec(tracker.package) is None:
            raise ImportError(
                f'--track {name} needs {tracker.package}: python3 -m pip install "mmcgan[{tracker.extra}]"'
            )
        tracker.check()
        visualizer: dict[str, Any] = {"type": "Visualizer", **(cfg.get("visualizer") or {})}
        backends = [*(visualizer.get("vis_backends") or [dict(type="LocalVisBackend")])]
        if not any(backend.get("type") == tracker.backend for backend in backends):
            backends.append(dict(type=tracker.backend))
        cfg.visualizer = {**visualizer, "vis_backends": backends}
