"""What each subcommand of ``mmcgan`` does with its parsed arguments."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Mapping


def train_command(arguments: Namespace) -> int:
    """Train, then print the picture and the metrics."""
    from mmcgan.apis.train import train
    from mmcgan.config import parse_options

    result = train(
        arguments.config, arguments.work_dir, arguments.resume, parse_options(arguments.cfg_options)
    )
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
