"""``mmcgan restore``: restore images with a trained generator as the prior."""

from __future__ import annotations

import argparse

from mmcgan.commands.shared import from_number, writes
from mmcgan.text_files import say

TASKS = ("reconstruct", "colorize", "sr", "inpaint", "hybrid", "denoise", "jitter", "morph", "transfer")


def declare(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.description = "Restore images: a generator is tuned to each until, degraded, it matches."
    parser.add_argument("images", nargs="+", metavar="IMAGE", help="image files")
    parser.add_argument(
        "--task", required=True, metavar="TASK", help=f"{', '.join(TASKS)}, or a degradation of a plugin"
    )
    parser.add_argument("--model", required=True, metavar="NAME", help="shipped model, config, or weights")
    parser.add_argument("--checkpoint", metavar="FILE", help="weights, where --model is a config")
    out = parser.add_argument(
        "--out", default="restored", metavar="DIR", help="folder (default: %(default)s)"
    )
    writes(parser, out, folder=True)
    parser.add_argument(
        "--degraded",
        action="store_true",
        help="the images are degraded already; otherwise they are originals, degraded first and compared",
    )
    parser.add_argument(
        "--distance",
        choices=["auto", "discriminator", "pixels"],
        default="auto",
        help="of images; auto takes a discriminator where there is one (default: %(default)s)",
    )
    parser.add_argument(
        "--discriminator",
        metavar="NAME",
        help="that compares: a run's .pth or shipped (default: the model's, or one of its images)",
    )
    parser.add_argument("--label", metavar="LABEL", help="class number or name (default: chosen with z)")
    parser.add_argument("--to-label", metavar="LABEL", help="task transfer: class to show the image as")
    parser.add_argument("--candidates", type=int, metavar="N", help="latents to choose from (default: 500)")
    parser.add_argument(
        "--share", type=float, default=1.0, metavar="S", help="of the iterations (default: %(default)s)"
    )
    parser.add_argument(
        "--factor", type=float, metavar="N", help="of sr (default: 4) and hybrid (default: 2); 1 and more"
    )
    parser.add_argument(
        "--mask",
        metavar="PNG",
        help="of inpaint: picture of the image's size, bright where it is missing (default: a square)",
    )
    parser.add_argument(
        "--size", type=int, metavar="N", help="shorter side to tune at, for a generator of any size"
    )
    parser.add_argument(
        "--render", type=int, metavar="N", help="shorter side of the result, for a generator of any size"
    )
    parser.add_argument("--gif", action="store_true", help="write the way there as an animation too")
    parser.add_argument(
        "--lpips", choices=["alex", "vgg", "squeeze"], help="a perceptual figure beside PSNR and SSIM"
    )
    parser.add_argument("--seed", type=int, default=0, help="of the candidates (default: %(default)s)")
    from_number(parser, "seed", None)
    parser.add_argument("--overwrite", action="store_true", help="replace results of other settings")


def run(arguments: argparse.Namespace) -> None:
    """Restore, say where the pictures are."""
    from mmcgan.apis.labels import find_labels
    from mmcgan.restoration.options import RestoreOptions
    from mmcgan.restoration.prior import load_prior
    from mmcgan.restoration.workflow import restore

    prior = load_prior(arguments.model, arguments.checkpoint, arguments.distance, arguments.discriminator)
    label, to_label = (
        None if text is None else find_labels(prior.loaded, [text])[0]
        for text in (arguments.label, arguments.to_label)
    )
    options = RestoreOptions(
        degraded=arguments.degraded,
        label=label,
        to_label=to_label,
        seed=arguments.seed,
        candidates=arguments.candidates,
        share=arguments.share,
        factor=arguments.factor,
        size=arguments.size,
        render=arguments.render,
        gif=arguments.gif,
        lpips=arguments.lpips,
        mask=arguments.mask,
        overwrite=arguments.overwrite,
    )
    how = "pixels" if prior.pixels_only else f"features of the discriminator {prior.compared}"
    say(f"images are compared by {how}")
    for result in restore(prior, arguments.images, arguments.task, out=arguments.out, options=options):
        known = ", ".join(f"{name} {value:.4g}" for name, value in result.figures.items())
        before = " (restored before)" if result.skipped else ""
        say(f"{result.picture}{before}{': ' if known else ''}{known}")
