"""``mmcgan sample``: write sample images."""

from __future__ import annotations

import argparse
import math
from collections.abc import Sequence

from mmcgan.commands.shared import add_attributes, add_model, add_options, from_number, writes
from mmcgan.text_files import say

#: settings of ``--sample-cfg`` and what they must be
SAMPLE_SETTINGS: dict[str, type] = {"truncation": float, "latent_scale": float, "seed": int, "num": int}


def declare(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    add_model(parser)
    _condition_arguments(parser)
    _image_arguments(parser)
    parser.add_argument(
        "--sample-cfg", nargs="+", default=[], metavar="KEY=VALUE", help="truncation=0.4, seed=1 or num=64"
    )
    out = parser.add_argument("--out", default="samples", metavar="DIR", help="folder (default: %(default)s)")
    writes(parser, out, folder=True)
    parser.add_argument("--overwrite", action="store_true", help="replace files that are there")
    add_options(parser)


def _condition_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what is asked for."""
    parser.add_argument(
        "--labels", nargs="+", metavar="LABEL", help="class numbers or names, in turn (default: all)"
    )
    add_attributes(parser)
    parser.add_argument(
        "--instances",
        nargs="+",
        default=[],
        metavar="PHOTO",
        help="IC-GAN: condition on these images, files or folders, seen in training or not",
    )
    parser.add_argument(
        "--label-maps",
        nargs="+",
        default=[],
        metavar="PNG",
        help="SPADE: paint these maps of class ids, files or folders (default: the held-out data's)",
    )
    parser.add_argument(
        "--condition",
        nargs="+",
        default=[],
        metavar="FIELD=FILE.npy",
        help="rows of any field of the condition, a plugin's too, in turn (default: drawn as in training)",
    )
    parser.add_argument(
        "--grid",
        metavar="KIND",
        help="IC-GAN: latents (instance x latent), classes (instance x class) or interpolate (two of each)",
    )
    parser.add_argument(
        "--columns",
        type=int,
        default=8,
        metavar="N",
        help="latents or steps of --grid (default: %(default)s)",
    )
    parser.add_argument(
        "--nearest", type=int, default=0, metavar="N", help="IC-GAN: show the N closest real images too"
    )
    from_number(parser, "nearest", 0)
    parser.add_argument(
        "--extractor", metavar="NAME", help="IC-GAN: where the extractor of the instances is now"
    )


def _image_arguments(parser: argparse.ArgumentParser) -> None:
    """Add how many images are made, and how."""
    parser.add_argument(
        "--num", type=int, help="images in all (default: 16, or one of each combination of attributes)"
    )
    parser.add_argument("--seed", type=int, default=0, help="of the latents (default: %(default)s)")
    from_number(parser, "seed", None)
    parser.add_argument(
        "--truncation",
        type=float,
        metavar="T",
        help="redraw latents beyond +-T; StyleGAN2: psi (default: off)",
    )
    parser.add_argument(
        "--latent-scale",
        type=float,
        metavar="S",
        help="latents S times as wide as in training: above 1 more variety, below 1 less",
    )
    parser.add_argument(
        "--truncation-centre",
        choices=("mean", "class"),
        help="StyleGAN2: move styles towards the mean of all, or of the class (default: the model's)",
    )
    parser.add_argument(
        "--codes",
        nargs="+",
        metavar="NAME=V,V",
        help="InfoGAN: values of the codes, such as discrete=3 or continuous=0.5,*; * stays as drawn",
    )
    parser.add_argument(
        "--size",
        type=int,
        nargs="+",
        metavar="PIXELS",
        help="height and width (or one number) of the images, for a generator of any size",
    )
    parser.add_argument(
        "--window",
        type=int,
        nargs=4,
        metavar=("TOP", "LEFT", "HEIGHT", "WIDTH"),
        help="render this part of them only",
    )
    from_number(parser, "window", 0)
    parser.add_argument(
        "--ddls", type=int, metavar="STEPS", help="move latents by the run's discriminator (needs a .pth)"
    )
    parser.add_argument(
        "--ddls-rate", type=float, default=0.01, metavar="RATE", help="its step size (default: %(default)s)"
    )


def apply_sample_settings(arguments: argparse.Namespace) -> None:
    """Move the settings of ``--sample-cfg`` to the arguments of the same names, as in MMagic.

    Raises:
        ValueError: an item without ``=``, an unknown or repeated key, or a value of another type.
    """
    from mmcgan.config.options import parse_value
    from mmcgan.suggestions import nearest

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
        if not number and not (value is None and kind is float):
            raise ValueError(f"--sample-cfg: {key} must be a number ({kind.__name__}), got {text!r}")
        setattr(arguments, key, value)


def parse_codes(texts: Sequence[str]) -> dict[str, list[float | None]]:
    """Return the values of codes by name from ``NAME=V,V``; None for ``*``.

    Raises:
        ValueError: other text, or a name twice.
    """
    found: dict[str, list[float | None]] = {}
    for text in texts:
        name, equals, values = text.partition("=")
        try:
            parsed = [None if value == "*" else float(value) for value in values.split(",")]
        except ValueError:
            parsed = []
        finite = all(value is None or math.isfinite(value) for value in parsed)
        if not equals or not parsed or not finite or name in found:
            raise ValueError(
                f"--codes {text}: write each NAME=V,V once, finite numbers or * for a code as drawn"
            )
        found[name] = parsed
    return found


def run(arguments: argparse.Namespace) -> None:
    """Write sample images and say where they are."""
    apply_sample_settings(arguments)
    from mmcgan.apis.attribute_sampling import given_attributes
    from mmcgan.apis.given_conditions import parse_conditions
    from mmcgan.apis.instance_sampling import InstanceOptions
    from mmcgan.apis.sampling import sample
    from mmcgan.apis.views import find_view
    from mmcgan.config.options import parse_options

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
        attributes=given_attributes(arguments.attributes),
        num=arguments.num,
        seed=arguments.seed,
        truncation=arguments.truncation,
        out=arguments.out,
        overwrite=arguments.overwrite,
        options=parse_options(arguments.cfg_options),
        instances=instances,
        move=move,
        codes=None if arguments.codes is None else parse_codes(arguments.codes),
        centre=arguments.truncation_centre,
        latent_scale=arguments.latent_scale,
        view=find_view(arguments.size, arguments.window),
        conditions=parse_conditions(arguments.condition),
    )
    made = len(result.images)
    say(f"{made:,} image{'' if made == 1 else 's'} in {result.folder}")
    shown = "" if result.shown == len(result.images) else f" (the first {result.shown} images)"
    say(f"picture: {result.grid}{shown}")
    if result.nearest is not None:
        say(f"instances and closest images: {result.nearest}")
