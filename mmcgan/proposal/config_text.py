"""The config that is written: short, inherited from ours, and the user's own from then on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mmcgan.checkpoints.code_text import assignment, comment, inherits
from mmcgan.proposal.choices import Choice, Method, Width, held_in_memory, neighbours_for
from mmcgan.proposal.families import LONG_RUN, NETWORKS, Parts, Plan, Settings

#: images that an evaluation makes, at most
EVALUATED = 2000


@dataclass(frozen=True)
class Source:
    """The images of a config.

    Attributes:
        root: a folder, a zip archive or several.
        count: number of images.
        store: of instances, where the method needs one.
    """

    root: str | list[str]
    count: int
    store: Path | None = None


def config_text(
    source: Source,
    method: Method,
    width: Width,
    iterations: int,
    extractor: dict[str, object] | None = None,
    choices: Sequence[Choice] = (),
    command: str = "",
) -> str:
    """Return a config.

    Args:
        source: where the images are.
        method, width, iterations: what was chosen.
        extractor: config of what judges samples; None leaves evaluation out.
        choices: written as comments, each with its reason.
        command: that wrote it.
    """
    family = NETWORKS[method.family]
    batch_size = width.batch_size * family.batches
    # schedules and ADA count what the discriminator sees, not what a generator reads beside it
    parts = family.parts(plan_of(method, width, iterations * width.batch_size))
    settings: Settings = {
        "model": _model(parts.model, method),
        "train_dataloader": _data(source, method, width, batch_size),
        **_schedule(parts, iterations, evaluated=extractor is not None),
        **(_evaluation(source, method, width, extractor) if extractor is not None else {}),
    }
    reasons = [comment(f"  {choice.what}: {choice.value} ({choice.reason})") for choice in choices]
    return "\n".join(
        [
            comment(f"Written by: {command}" if command else "Written by mmcgan new"),
            "# It is yours: change what you like. Why it is as it is:",
            *reasons,
            *settings_lines(parts.bases, settings),
            *([_TESTED] if extractor is not None else []),
            "",
        ]
    )


def settings_lines(bases: Sequence[str], settings: Mapping[str, object]) -> list[str]:
    """Return the lines of a config that inherits ``bases``, named as in :class:`Parts`, and sets more."""
    inherited = inherits([f"_base_/{base}" for base in bases])
    return [inherited, *(assignment(name, value) for name, value in settings.items())]


def train_loader(dataset: Settings, batch_size: int) -> Settings:
    """Return the loader of a training that reads images in this process, for ever and shuffled."""
    return {
        "batch_size": batch_size,
        "num_workers": 0,
        "dataset": dataset,
        "sampler": {"type": "InfiniteShuffle"},
        "collate_fn": {"type": "gan_collate"},
    }


def plan_of(method: Method, width: Width, images: int) -> Plan:
    """Return what any family is asked for, for a training whose discriminator sees so many real images."""
    return Plan(
        conditioning=method.conditioning,
        image_size=width.image_size,
        width=width.channels,
        policy=method.policy,
        horizon=images,
        uniform=method.labelled and not method.empirical,
    )


def _model(model: Settings, method: Method) -> Settings:
    """Return a family's settings with what the images ask for."""
    made = {key: value for key, value in model.items() if value != {}}
    if method.flip and method.instances:
        made["condition_sampler"] = {**made.get("condition_sampler", {}), "flip": True}
    made["data_preprocessor"] = {"flip_probability": 0.5 if method.flip else 0.0}
    return made


def _images(source: Source, method: Method, width: Width, in_memory: bool = False) -> Settings:
    made: Settings = {"type": "ImageFolder", "root": source.root, "image_size": width.image_size}
    made |= {} if method.labelled else {"labelled": False}
    return made | ({"in_memory": True} if in_memory else {})


def _data(source: Source, method: Method, width: Width, batch_size: int) -> Settings:
    dataset = _images(source, method, width, held_in_memory(source.count, width.image_size))
    if method.instances:
        near = {"store": str(source.store), "k": neighbours_for(source.count)}
        flip = {"flip": True} if method.flip else {}
        dataset = {"type": "NeighbourhoodDataset", "dataset": dataset, **near, **flip}
    return train_loader(dataset, batch_size)


def _schedule(parts: Parts, iterations: int, evaluated: bool) -> Settings:
    every = max(1, iterations // 10)
    best: Settings = {"save_best": "kid", "rule": "less"} if evaluated else {"save_best": None}
    paced = pace(parts, iterations)
    hooks: Settings = {
        "logger": {"interval": min(100, every)},
        "sample_grid": {"interval": every},
        "checkpoint": {"interval": every, **best},
        **paced.pop("default_hooks"),
    }
    length: Settings = {"max_iters": iterations}
    if evaluated:
        length["val_interval"] = max(1, iterations // 4)
    return {**paced, "train_cfg": length, "default_hooks": hooks}


def pace(parts: Parts, iterations: int) -> Settings:
    """Return a family's learning rates, average of weights and schedules in a run of so many iterations."""
    hooks = dict(parts.hooks)
    if parts.rates is None:
        return {"default_hooks": hooks}
    rate, decay = (parts.rates[1], 0.999) if iterations >= LONG_RUN else (parts.rates[0], 0.99)
    hooks["generator_ema"] = {"decay": decay, "start": iterations // 20}
    rates = {"generator": rate, "discriminator": rate * parts.slower}
    wrapper = {player: {"optimizer": {"lr": value}} for player, value in rates.items()}
    return {"optim_wrapper": wrapper, "default_hooks": hooks}


def _evaluation(source: Source, method: Method, width: Width, extractor: dict[str, Any]) -> Settings:
    size = min(source.count, EVALUATED)
    conditions: Settings = {"type": "ConditionDataset", "size": size}
    if method.instances:
        asked = {"type": "AllInstances", "num_classes": 0}
        conditions = {"type": "InstanceConditionDataset", "size": size, "condition_sampler": asked}
    elif not method.labelled:
        conditions["num_classes"] = 0
    return {
        "val_dataloader": {
            "batch_size": min(64, size),
            "num_workers": 0,
            "dataset": conditions,
            "sampler": {"type": "DefaultSampler", "shuffle": False, "round_up": False},
            "collate_fn": {"type": "gan_collate"},
        },
        "val_evaluator": {
            "type": "GenerationEvaluator",
            "extractor": extractor,
            "metrics": [{"type": "KID", "subsets": 20, "subset_size": max(2, min(500, size // 2))}],
            "reference": {"dataset": _images(source, method, width)},
        },
        "val_cfg": {"type": "ValLoop"},
    }


_TESTED = "test_dataloader, test_evaluator, test_cfg = val_dataloader, val_evaluator, dict(type='TestLoop')"
