"""``mmcgan check-config``: validate configs and train one tiny iteration of each."""

from __future__ import annotations

import argparse


def declare(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument("configs", nargs="*", metavar="CONFIG", help="paths or names (default: all)")
    parser.add_argument("--no-run", action="store_true", help="validate only, without the tiny training step")


def run(arguments: argparse.Namespace) -> int:
    """Check configs; the status is 1 if any failed."""
    from mmcgan.apis.check import check_configs, print_results

    results = check_configs(arguments.configs, run=not arguments.no_run)
    print_results(results)
    return int(not all(result.passed for result in results) or not results)
