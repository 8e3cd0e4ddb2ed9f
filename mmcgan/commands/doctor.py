"""``mmcgan doctor``: what is installed, what works and what makes it slow, for a bug report."""

from __future__ import annotations

import argparse

from mmcgan.text_files import say


def declare(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.description = (
        "Look at the installation and the machine: versions, what torch uses of the processor, the chosen "
        "precision, threads, memory, CUDA, extras, data sets, shipped weights, the cache. Lines with ! are "
        "worth knowing, with X broken; the status is 1 if something needed is broken."
    )
    parser.add_argument("--json", action="store_true", help="print JSON instead, for programs")


def run(arguments: argparse.Namespace) -> int:
    """Print the diagnosis; the status is 1 if something needed is broken."""
    import json

    from mmcgan.diagnosis.report import as_json, as_text, diagnose, is_broken

    diagnosis = diagnose()
    say(json.dumps(as_json(diagnosis), indent=1) if arguments.json else as_text(diagnosis))
    return int(is_broken(diagnosis))
