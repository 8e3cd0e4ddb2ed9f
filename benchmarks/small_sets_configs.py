"""The configs of ``small_sets.py``, put together from parts: a set, a family of networks, a conditioning."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from small_sets_data import ImageSet

from mmcgan.datasets.base import ImageDataset
from mmcgan.proposal.choices import neighbours_for
from mmcgan.proposal.config_text import pace, settings_lines, train_loader
from mmcgan.proposal.families import NETWORKS, Plan, Settings
from mmcgan.registry import DATASETS

#: channels of the finest maps
WIDTH = 16
#: see :attr:`mmcgan.proposal.figures.Run.recipe`
RECIPE = 2
#: images that a run is planned to read: behind them R3GAN's schedules end and ADA's probability may have gone
#: from 0 to 1
HORIZON = 102_400


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
    family = NETWORKS[setting.family]
    horizon = HORIZON // family.batches
    plan = Plan(setting.conditioning, chosen.image_size, WIDTH, chosen.policy, horizon)
    parts, batch_size = family.parts(plan), 64 * family.batches
    # the rates and the average of weights that `mmcgan new` writes for as many images: what it proposes is
    # what was measured
    paced = pace(parts, HORIZON // batch_size)
    settings = {
        "model": parts.model,
        "train_dataloader": _data(setting, plan, state, batch_size),
        **paced,
        "train_cfg": {"max_iters": 10_000_000, "val_interval": 10_000_000},
        "default_hooks": {**_hooks, **paced["default_hooks"]},
        "randomness": {"seed": setting.seed},
    }
    return "\n".join(settings_lines(parts.bases, settings)) + "\n"


#: the budget ends a training, not a number of iterations, and readings take the place of samples
_hooks: Settings = {
    "logger": {"interval": 50},
    "sample_grid": None,
    "report": None,
    "checkpoint": {"_delete_": True, "type": "GANCheckpointHook", "interval": 100, "max_keep": 1},
}


def _data(setting: Setting, plan: Plan, state: Path, batch_size: int) -> Settings:
    chosen = setting.chosen
    dataset = chosen.dataset(state, labelled=plan.labelled)
    if setting.conditioning == "instance":
        built: ImageDataset = DATASETS.build(dict(dataset))
        near = {"store": str(chosen.store(state)), "k": neighbours_for(len(built))}
        dataset = {"type": "NeighbourhoodDataset", "dataset": dataset, **near}
    return train_loader(dataset, batch_size)
