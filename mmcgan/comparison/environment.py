"""What a run runs on, in a few lines without paths or names of machines."""

from __future__ import annotations

import platform
from typing import Any

import torch

from mmcgan.diagnosis.installation import PACKAGES
from mmcgan.diagnosis.processor import processor
from mmcgan.version import __version__, version_of

#: of the diagnosis of the processor
SHOWN = ("processor", "torch uses", "limited by")


def environment(runner: Any) -> dict[str, str]:
    """Return name -> value of what decides a run's numbers and speed.

    Args:
        runner: built.
    """
    found = {"mmcgan": __version__, "python": platform.python_version(), "system": platform.system()}
    found |= {name: version for name in PACKAGES if (version := version_of(name))}
    found |= {line.name: str(line.value) for line in processor() if line.name in SHOWN}
    found["threads"] = str(torch.get_num_threads())
    found["processes"] = str(runner.world_size)
    if torch.cuda.is_available():
        found["device"] = torch.cuda.get_device_name()
    found["seed"] = str(runner.seed)
    for player, wrapper in runner.optim_wrapper.items():
        found[f"precision of the {player}"] = str(getattr(wrapper, "precision", "unknown"))
    return found
