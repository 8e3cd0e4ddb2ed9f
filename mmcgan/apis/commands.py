"""What each subcommand of ``mmcgan`` does with its parsed arguments."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Mapping
from typing import Any


def train_command(arguments: Namespace) -> int:
    """Train, then print the picture and the metrics."""
    from mmcgan.apis.launch import is_main_process, join_launcher
    from mmcgan.apis.training import train
    from mmcgan.config import parse_options

    join_launcher(arguments.launcher)
    result = train(
        arguments.config, arguments.work_dir, arguments.resume, parse_options(arguments.cfg_options)
    )
    if is_main_process():
        print_metrics(result.metrics)
        print(f"picture: {result.picture or 'none was written'}")
    return 0


def print_metrics(metrics: Mapping[str, float]) -> None:
    """Print one figure a line."""
    for name, value in metrics.items():
        print(f"{name}: {value:.4f}")


def check_command(arguments: Namespace) -> int:
    """Check configs; the status is 1 if any failed."""
    from mmcgan.apis.check import check_configs, print_results

    results = check_configs(arguments.configs, run=not arguments.no_run)
    print_results(results)
    return int(not all(result.passed for result in results) or not results)


#: settings of ``--sample-cfg`` and what they must be
SAMPLE_SETTINGS: dict[str, type] = {"truncation": float, "seed": int, "num": int}


def apply_sample_settings(arguments: Namespace) -> None:
    """Move the settings of ``--sample-cfg`` to the arguments of the same names, as in MMagic.

    Raises:
        ValueError: an item without ``=``, an unknown or repeated key, or a value of another type.
    """
    from mmcgan.config.options import parse_value
    from mmcgan.registry import nearest

    seen = set()
    for item in arguments.sample_cfg:
        key, equals, text = item.partition("=")
        if not equals:
            raise ValueError(f"--sample-cfg: expected KEY=VALUE, got {item!r}")
        if key not in SAMPLE_SETTINGS:
            raise ValueError(f"--sample-cfg: unknown key {key!r}.{nearest(key, list(SAMPLE_SETTINGS))}")
        if key in seen:
            raise ValueError(f"--sample-cfg: {key!r} is given twice")
        seen.add(key)
        value, kind = parse_value(text), SAMPLE_SETTINGS[key]
        number = isinstance(value, kind | int) and not isinstance(value, bool)
        if not number and not (value is None and key == "truncation"):
            raise ValueError(f"--sample-cfg: {key} must be a number ({kind.__name__}), got {text!r}")
        setattr(arguments, key, value)


def sample_command(arguments: Namespace) -> int:
    """Write sample images and say where they are."""
    apply_sample_settings(arguments)
    from mmcgan.apis.attribute_sampling import parse_attributes
    from mmcgan.apis.instance_sampling import InstanceOptions
    from mmcgan.apis.sampling import sample
    from mmcgan.apis.views import find_view
    from mmcgan.config import parse_options

    instances = InstanceOptions(
        tuple(arguments.instances),
        arguments.grid,
        arguments.columns,
        arguments.nearest,
        arguments.extractor,
    )
    move = None
    if arguments.ddls is not None:
        from mmcgan.samplers import LangevinLatents

        move = LangevinLatents(arguments.ddls, arguments.ddls_rate)
    result = sample(
        arguments.model,
        arguments.checkpoint,
        labels=arguments.labels,
        label_maps=arguments.label_maps,
        attributes=None if arguments.attributes is None else parse_attributes(arguments.attributes),
        num=arguments.num,
        seed=arguments.seed,
        truncation=arguments.truncation,
        out=arguments.out,
        overwrite=arguments.overwrite,
        options=parse_options(arguments.cfg_options),
        instances=instances,
        move=move,
        view=find_view(arguments.size, arguments.window),
    )
    print(f"{len(result.images)} images in {result.grid.parent}")
    print(f"picture: {result.grid}")
    if result.nearest is not None:
        print(f"instances and closest images: {result.nearest}")
    return 0


def list_command(arguments: Namespace) -> int:
    """Print the shipped models with their classes and figures."""
    from mmcgan.weights import read_index

    records = read_index("generator")
    for name, record in records.items():
        figures = ", ".join(f"{key} {value:.4g}" for key, value in record["metrics"].items())
        classes = asked_of(record)
        size = record["generator"].get("image_size", "?")
        print(f"{name}: {size} x {size}, {classes}, {record['images_seen']} images seen; {figures}")
    if not records:
        print("no models are shipped with this installation")
    return 0


def asked_of(record: Mapping[str, Any]) -> str:
    """Return what a shipped generator is conditioned on, for the list."""
    groups = record["generator"].get("attribute_groups")
    if not groups:
        return f"{len(record['classes'] or ())} classes"
    return "attributes " + " x ".join(groups)


def export_command(arguments: Namespace) -> int:
    """Export a checkpoint's averaged generator, or its discriminator."""
    from mmcgan.zoo.discriminators import export_discriminator
    from mmcgan.zoo.models import export_weights

    export = export_discriminator if arguments.discriminator else export_weights
    entry = export(arguments.checkpoint, arguments.out, arguments.half, arguments.command_line)
    print(f"{arguments.out}: sha256 {entry['sha256']}")
    return 0
