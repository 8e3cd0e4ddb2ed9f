"""``mmcgan push-to-hub``: share an exported generator on the HuggingFace Hub."""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

from mmcgan.commands.shared import writes
from mmcgan.text_files import say


def declare(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.description = "Upload exported weights with their config and a model card (needs the extra hub)."
    parser.add_argument("weights", help="exported NAME.safetensors, or name of a shipped model")
    parser.add_argument("repo", help="user/name on the hub; made if there is none")
    parser.add_argument(
        "--licence",
        metavar="TEXT",
        help="of the weights: an SPDX name, or a sentence (default: the model zoo's; else unsaid)",
    )
    parser.add_argument("--private", action="store_true", help="show it to you alone")
    parser.add_argument("--message", help="of the commit")
    dry_run = parser.add_argument(
        "--dry-run", metavar="DIR", help="write what would be uploaded to DIR, and stop"
    )
    writes(parser, dry_run, folder=True)


def run(arguments: argparse.Namespace) -> None:
    """Write the files, upload them unless it is a dry run, and say where they are."""
    from mmcgan.zoo.card import write_model_folder
    from mmcgan.zoo.hub import check_repo, hub_library, push_folder
    from mmcgan.zoo.locate import find_weights, known_licence

    repo = check_repo(arguments.repo)
    licence = arguments.licence or known_licence(arguments.weights)
    if licence is None:
        say("the page says nothing of a licence, which allows nobody anything: --licence NAME says it")
    if arguments.dry_run:
        folder = Path(arguments.dry_run)
        for file in write_model_folder(find_weights(arguments.weights), folder, repo, licence):
            say(file)
        return
    hub_library()  # before anything is written
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary) / "model"
        write_model_folder(find_weights(arguments.weights), folder, repo, licence)
        say(push_folder(folder, repo, arguments.private, arguments.message))
