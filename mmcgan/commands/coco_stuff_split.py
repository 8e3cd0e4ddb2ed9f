"""``mmcgan coco-stuff-split``: lists of the training and evaluation images of COCO-Stuff."""

from __future__ import annotations

import argparse
from pathlib import Path

from mmcgan.commands.shared import from_number, writes
from mmcgan.text_files import content_of, say

# What the published splits have, for comparison.
PUBLISHED = {"train": "76k", "eval": "2k", "eval-seen": "675", "eval-unseen": "1.3k"}


def declare(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.description = (
        "Write train.txt, eval.txt, eval-seen.txt and eval-unseen.txt: images of COCO 2017 with "
        "3 to 8 objects of more than 2 % of the image. Evaluation images are seen if a training image has "
        "the same set of categories. Use a list with dict(type='ImageList', root=COCO, names=LIST)."
    )
    parser.add_argument(
        "--annotations",
        type=Path,
        required=True,
        metavar="DIR",
        help="folder of instances_train2017.json, instances_val2017.json and the same of stuff_",
    )
    out = parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder to write")
    writes(parser, out, folder=True)
    parser.add_argument("--tuning", type=int, default=1024, help="first images of val that are left out")
    from_number(parser, "tuning", 0)
    parser.add_argument("--overwrite", action="store_true", help="replace lists that are there")


def run(arguments: argparse.Namespace) -> None:
    """Write the lists, say how many images each has."""
    from mmcgan.checkpoints.atomic import write_file
    from mmcgan.datasets.sets.coco_stuff import find_scenes, read_annotations, split_scenes
    from mmcgan.progress import progress_bar

    files = {name: arguments.out / f"{name}.txt" for name in PUBLISHED}
    found = [path for path in files.values() if path.exists()]
    if found and not arguments.overwrite:
        raise FileExistsError(f"{found[0]} exists; choose another --out or give --overwrite")
    scenes = {}
    with progress_bar("Reading annotations", 2) as advance:
        for split in ("train", "val"):
            things, stuff = (
                read_annotations(arguments.annotations / f"{kind}_{split}2017.json")
                for kind in ("instances", "stuff")
            )
            with content_of(arguments.annotations, f"annotations of COCO's {split}2017"):
                scenes[split] = find_scenes(things, stuff)
            advance()
    for name, images in split_scenes(scenes["train"], scenes["val"], arguments.tuning).items():
        folder = "train2017" if name == "train" else "val2017"
        text = "".join(f"{folder}/{image}\n" for image in images)
        write_file(files[name], text)
        say(f"{files[name]}: {len(images)} images (published: {PUBLISHED[name]})")
