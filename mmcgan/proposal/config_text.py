"""The config that is written: short, inherited from ours, and the user's own from then on."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from mmcgan.proposal.choices import Choice, Method, Width, held_in_memory, neighbours_for

#: images that an evaluation makes, at most
EVALUATED = 2000
SCHEDULE = "_base_/default_runtime.py"


def config_text(
    root: str | list[str],
    method: Method,
    width: Width,
    iterations: int,
    count: int,
    store: Path | None = None,
    extractor: dict[str, object] | None = None,
    choices: Sequence[Choice] = (),
    command: str = "",
) -> str:
    """Return a config.

    Args:
        root: of the images: a folder, a zip archive or several.
        method, width, iterations: what was chosen.
        count: number of images.
        store: of instances, where the method needs one.
        extractor: config of what judges samples; None leaves evaluation out.
        choices: written as comments, each with its reason.
        command: that wrote it.
    """
    reasons = [one_line(f"#   {choice.what}: {choice.value} ({choice.reason})") for choice in choices]
    bases = [f"{{{{$MMCGAN_CONFIGS:}}}}/{base}" for base in (method.base, SCHEDULE)]
    channels = width.base_channels
    generator = f"base_channels={channels}, latent_dim=64, attention_resolutions=()"
    generator += ", shared_dim=64" if not method.instances else ""
    generator += ", instance_embedding_dim=128" if method.instances else ""
    model = [
        f"    generator=dict({generator}),",
        f"    discriminator=dict(backbone=dict(base_channels={channels}, attention_resolutions=())),",
    ]
    if method.policy:
        model.append(f"    augment=dict(type='DiffAugment', policy={method.policy!r}),")
    if method.empirical:
        model.append("    condition_sampler=dict(type='EmpiricalLabel'),")
    if method.instances and method.flip:
        model.append("    condition_sampler=dict(flip=True),")
    if method.flip:
        model.append("    data_preprocessor=dict(flip_probability=0.5),")
    return "\n".join(
        [
            one_line(f"# Written by: {command}") if command else "# Written by mmcgan new",
            "# It is yours: change what you like. Why it is as it is:",
            *reasons,
            f"_base_ = {bases!r}",
            "model = dict(",
            *model,
            ")",
            *_data(root, method, width, count, store),
            *_schedule(iterations, evaluated=extractor is not None),
            *(_evaluation(root, method, width, count, extractor) if extractor is not None else []),
            "",
        ]
    )


def one_line(comment: str) -> str:
    """Return a comment that stays one: a folder may be called after lines of a program, or a template."""
    shown = comment if comment.isprintable() else ascii(comment)[1:-1]
    return shown.replace("{{", "{ {")


def literal(value: object) -> str:
    """Return a value as a config says it; MMEngine fills in ``{{...}}`` before Python reads the text."""
    return repr(value).replace("{{", "{\\x7b")


def _images(root: str | list[str], method: Method, width: Width, in_memory: bool = False) -> str:
    more = "" if method.labelled else ", labelled=False"
    more += ", in_memory=True" if in_memory else ""
    return f"dict(type='ImageFolder', root={literal(root)}, image_size={width.image_size}{more})"


def _data(root: str | list[str], method: Method, width: Width, count: int, store: Path | None) -> list[str]:
    dataset = _images(root, method, width, held_in_memory(count, width.image_size))
    if method.instances:
        flip = ", flip=True" if method.flip else ""
        near = neighbours_for(count)
        dataset = (
            f"dict(\n        type='NeighbourhoodDataset',\n        dataset={dataset},\n"
            f"        store={literal(str(store))},\n        k={near}{flip},\n    )"
        )
    return [
        "train_dataloader = dict(",
        f"    batch_size={width.batch_size},",
        "    num_workers=0,",
        f"    dataset={dataset},",
        "    sampler=dict(type='InfiniteShuffle'),",
        "    collate_fn=dict(type='gan_collate'),",
        ")",
    ]


def _schedule(iterations: int, evaluated: bool) -> list[str]:
    every = max(1, iterations // 10)
    decay = 0.999 if iterations >= 5000 else 0.99
    validate = f", val_interval={max(1, iterations // 4)}" if evaluated else ""
    optimizer = "dict(type='Adam', lr=4e-4, betas=(0.0, 0.99), eps=1e-6)"
    return [
        "optim_wrapper = dict(",
        "    constructor='GANOptimWrapperConstructor',",
        "    precision='auto',",
        f"    generator=dict(optimizer={optimizer}),",
        f"    discriminator=dict(optimizer={optimizer}),",
        ")",
        f"train_cfg = dict(type='GANTrainLoop', max_iters={iterations}{validate})",
        "default_hooks = dict(",
        f"    logger=dict(interval={min(100, every)}),",
        f"    generator_ema=dict(decay={decay}, start={iterations // 20}),",
        f"    sample_grid=dict(interval={every}),",
        f"    checkpoint=dict(interval={every}),",
        ")",
    ]


def _evaluation(
    root: str | list[str], method: Method, width: Width, count: int, extractor: dict[str, object]
) -> list[str]:
    size = min(count, EVALUATED)
    conditions = f"dict(type='ConditionDataset', size={size})"
    if method.instances:
        asked = "dict(type='AllInstances', num_classes=0)"
        conditions = f"dict(type='InstanceConditionDataset', size={size}, condition_sampler={asked})"
    elif not method.labelled:
        conditions = f"dict(type='ConditionDataset', size={size}, num_classes=0)"
    metric = f"dict(type='KID', subsets=20, subset_size={max(2, min(500, size // 2))})"
    return [
        "val_dataloader = dict(",
        f"    batch_size={min(64, size)},",
        "    num_workers=0,",
        f"    dataset={conditions},",
        "    sampler=dict(type='DefaultSampler', shuffle=False, round_up=False),",
        "    collate_fn=dict(type='gan_collate'),",
        ")",
        "val_evaluator = dict(",
        "    type='GenerationEvaluator',",
        f"    extractor=dict({', '.join(f'{key}={literal(value)}' for key, value in extractor.items())}),",
        f"    metrics=[{metric}],",
        f"    reference=dict(dataset={_images(root, method, width)}),",
        ")",
        "val_cfg = dict(type='ValLoop')",
        "test_dataloader, test_evaluator, test_cfg = val_dataloader, val_evaluator, dict(type='TestLoop')",
    ]
