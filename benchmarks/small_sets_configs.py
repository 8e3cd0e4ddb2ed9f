"""The configs of ``small_sets.py``, put together from parts: a set, a family of networks, a conditioning."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from small_sets_data import ImageSet

from mmcgan.datasets.base import ImageDataset
from mmcgan.proposal.config_text import as_code
from mmcgan.proposal.families import NETWORKS, Plan, Settings
from mmcgan.registry import DATASETS

#: channels of the finest maps
WIDTH = 16
#: images behind which R3GAN's schedules end and ADA's probability may have gone from 0 to 1
HORIZON = 50_000


@dataclass(frozen=True)
class Setting:
    """What is trained: a set, a family, a conditioning, a seed."""

    chosen: ImageSet
    family: str
    conditioning: str
    seed: int = 0

    @property
    def name(self) -> str:
        return f"{self.chosen.name}_{self.family}_{self.conditioning}_seed-{self.seed}"


def config_text(setting: Setting, state: Path) -> str:
    """Return the text of a config."""
    chosen = setting.chosen
    plan = Plan(setting.conditioning, chosen.image_size, WIDTH, chosen.policy, HORIZON)
    family = NETWORKS[setting.family]
    parts = family.parts(plan)
    settings = {
        "model": parts.model,
        "train_dataloader": _data(setting, state, 64 * family.batches),
        "train_cfg": {"max_iters": 10_000_000, "val_interval": 10_000_000},
        "default_hooks": {**_hooks, **parts.hooks},
        "randomness": {"seed": setting.seed},
    }
    bases = [f"{{{{$MMCGAN_CONFIGS:}}}}/_base_/{path}.py" for path in parts.bases]
    lines = [f"_base_ = {bases!r}"]
    lines += [f"{key} = {as_code(value, reserved=len(key) + 3)}" for key, value in settings.items()]
    return "\n".join(lines) + "\n"


#: the budget ends a training, not a number of iterations, and readings take the place of samples
_hooks: Settings = {
    "logger": {"interval": 50},
    "sample_grid": None,
    "report": None,
    "checkpoint": {"_delete_": True, "type": "GANCheckpointHook", "interval": 100, "max_keep": 1},
}


def _data(setting: Setting, state: Path, batch_size: int) -> Settings:
    chosen = setting.chosen
    dataset = chosen.dataset(state)
    if setting.conditioning == "instance":
        built: ImageDataset = DATASETS.build(dict(dataset))
        near = min(50, max(5, len(built) // 20))
        store = str(chosen.store(state))
        dataset = {"type": "NeighbourhoodDataset", "dataset": dataset, "store": store, "k": near}
    return {
        "batch_size": batch_size,
        "num_workers": 0,
        "dataset": dataset,
        "sampler": {"type": "InfiniteShuffle"},
        "collate_fn": {"type": "gan_collate"},
    }
