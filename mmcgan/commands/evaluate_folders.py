"""``mmcgan evaluate-folders``: figures about a folder of images, without a model."""

from __future__ import annotations

import argparse

from mmcgan.commands.shared import add_overwrite, writes
from mmcgan.text_files import say


def declare(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.description = "Compare a folder of images, or a packed data set, with another one."
    parser.add_argument("real", help="folder of real images, or packed data set")
    parser.add_argument("fake", help="folder of images to judge, or packed data set")
    parser.add_argument(
        "--extractor",
        required=True,
        metavar="NAME",
        help="inception, tero-inception, torchvision-inception, swav, dino, digits-16, fashion-mnist-32, "
        "timm:MODEL, or a file of train-classifier",
    )
    parser.add_argument("--weights", metavar="FILE", help="of the extractor (default: the user's cache)")
    parser.add_argument("--resize", metavar="RULE", help="how images reach its size (default: its own)")
    parser.add_argument(
        "--metrics",
        nargs="+",
        default=["fid"],
        metavar="NAME",
        help="short names, with settings if wanted (kid:subset_size=100), or all (default: fid)",
    )
    parser.add_argument("--labelled", action="store_true", help="the subfolders are classes")
    parser.add_argument("--image-size", type=int, metavar="N", help="crop and resize to N first")
    parser.add_argument(
        "--any-size",
        action="store_true",
        help="take images of any sizes and shapes: the extractor resizes each whole, without a crop",
    )
    parser.add_argument(
        "--on-error", choices=("stop", "skip"), default="stop", help="at an unreadable image (default: stop)"
    )
    reference = parser.add_argument(
        "--reference", metavar="FILE", help="keep the real images' statistics here"
    )
    writes(parser, reference, suffixes=(".safetensors",), may_be_read=True)
    parser.add_argument("--batch-size", type=int, default=64, metavar="N", help="default: %(default)s")
    report = parser.add_argument(
        "--json", metavar="OUT", help="also write figures and all settings to this file"
    )
    writes(parser, report, suffixes=(".json",))
    add_overwrite(parser)


def run(arguments: argparse.Namespace) -> None:
    """Evaluate, write the file and show a table."""
    from mmcgan.apis.folders import evaluate_folders
    from mmcgan.datasets.counts import counts_lines
    from mmcgan.evaluation.report.report import (
        print_costs,
        print_failures,
        print_table,
        summarize,
        without_figures,
        write_json,
    )
    from mmcgan.extractors.names import extractor_config

    report = evaluate_folders(
        arguments.real,
        arguments.fake,
        extractor_config(arguments.extractor, arguments.weights, arguments.resize),
        arguments.metrics,
        labelled=arguments.labelled,
        image_size=arguments.image_size,
        any_size=arguments.any_size,
        on_error=arguments.on_error,
        batch_size=arguments.batch_size,
        reference=arguments.reference,
    )
    if arguments.json:  # before anything that the screen may fail at
        write_json(arguments.json, report)
    print_table(
        f"{arguments.fake} against {arguments.real}, {report['extractor']['name']}",
        {f"{report['generated_images']:,} images": summarize([report["figures"]])},
        without_figures([report]),
    )
    print_costs(report)
    print_failures([report])
    for side, images in report["images"].items():
        say("\n".join(counts_lines(images, side)))
    for warning in report["warnings"]:
        say(f"warning: {warning}")
    if arguments.json:
        say(f"report: {arguments.json}")
