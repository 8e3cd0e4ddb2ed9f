"""``mmcgan push-to-hub``: share an exported generator on the HuggingFace Hub."""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Sequence
from pathlib import Path


def parser() -> argparse.ArgumentParser:
    """Return the parser of ``mmcgan push-to-hub``."""
    made = argparse.ArgumentParser(
        prog="mmcgan push-to-hub",
        description="Upload exported weights with their config and a model card (needs the extra hub).",
        allow_abbrev=False,
    )
    made.add_argument("weights", help="exported NAME.safetensors, or name of a shipped model")
    made.add_argument("repo", help="user/name on the hub; made if there is none")
    made.add_argument("--licence", default="apache-2.0", help="of the weights (default: %(default)s)")
    made.add_argument("--private", action="store_true", help="show it to you alone")
    made.add_argument("--message", help="of the commit")
    made.add_argument("--dry-run", metavar="DIR", help="write what would be uploaded to DIR, and stop")
    return made


def main(argv: Sequence[str]) -> int:
    """Write the files, upload them unless it is a dry run, and say where they are."""
    arguments = parser().parse_args(argv)
    from mmcgan.zoo.card import write_model_folder
    from mmcgan.zoo.hub import check_repo, hub_library, push_folder
    from mmcgan.zoo.locate import find_weights

    repo = check_repo(arguments.repo)
    if arguments.dry_run:
        folder = Path(arguments.dry_run)
        for file in write_model_folder(find_weights(arguments.weights), folder, repo, arguments.licence):
            print(file)
        return 0
    hub_library()  # before anything is written
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary) / "model"
        write_model_folder(find_weights(arguments.weights), folder, repo, arguments.licence)
        print(push_folder(folder, repo, arguments.private, arguments.message))
    return 0
