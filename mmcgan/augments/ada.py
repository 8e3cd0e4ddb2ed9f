"""Adaptive discriminator augmentation: the whole pipeline, for images of any size."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor

from mmcgan.augments import colour
from mmcgan.augments.adaptive import AdaptiveAugment, build_probability, watched
from mmcgan.augments.base import Draws
from mmcgan.augments.choice import expand_names
from mmcgan.augments.constants import constant
from mmcgan.augments.filters import filter_images
from mmcgan.augments.pixels import per_image
from mmcgan.augments.warp import rotation, scaling, translation, warp
from mmcgan.augments.wavelets import filter_bank_like
from mmcgan.registry import AUGMENTS

GROUPS: dict[str, tuple[str, ...]] = {
    "blit": ("xflip", "rotate90", "xint"),
    "geometric": ("scale", "rotate", "aniso", "xfrac"),
    "colour": ("brightness", "contrast", "lumaflip", "hue", "saturation"),
    "filter": ("imgfilter",),
    "noise": ("noise",),
    "cutout": ("cutout",),
}
# The presets of the paper's Figure 4 by the initials of their groups.
GROUPS |= {
    "bgcfnc"[:count]: tuple(name for group in list(GROUPS)[:count] for name in GROUPS[group])
    for count in range(2, 7)
}

# Where a filter is not longer than the image, and a hole has a shape.
SMALLEST = {**dict.fromkeys((*GROUPS["blit"], *GROUPS["geometric"], "imgfilter"), 8), "cutout": 4}

# Expected power of natural images in the four bands of the filter, 1/f.
BAND_POWER = (10 / 13, 1 / 13, 1 / 13, 1 / 13)


class _Step(NamedTuple):
    """One random matrix of a chain: the transform it belongs to, its draw, and how it is made."""

    transform: str
    draw: str
    make: Callable[[Draws, Tensor], Tensor]


def _xflip(draws: Draws, image: Tensor) -> Tensor:
    sign = 1 - 2 * (draws.uniform("xflip") * 2).floor()
    return scaling(sign, torch.ones_like(sign))


def _rotate90(draws: Draws, image: Tensor) -> Tensor:
    return rotation((draws.uniform("rotate90") * 4).floor() * (math.pi / 2))


def _xint(draws: Draws, image: Tensor) -> Tensor:
    shift = (draws.uniform("xint", 2) * 2 - 1) * 0.125
    height, width = image.shape[-2:]
    return translation(-(shift[:, 0] * width).round(), -(shift[:, 1] * height).round())


def _scale(draws: Draws, image: Tensor) -> Tensor:
    factor = torch.exp2(-0.2 * draws.normal("scale"))
    return scaling(factor, factor)


def _rotate(name: str) -> Callable[[Draws, Tensor], Tensor]:
    return lambda draws, image: rotation((draws.uniform(name) * 2 - 1) * math.pi)


def _aniso(draws: Draws, image: Tensor) -> Tensor:
    factor = torch.exp2(-0.2 * draws.normal("aniso"))
    return scaling(factor, 1 / factor)


def _xfrac(draws: Draws, image: Tensor) -> Tensor:
    shift = -0.125 * draws.normal("xfrac", 2)
    return translation(shift[:, 0] * image.shape[-1], shift[:, 1] * image.shape[-2])


# Inverse maps, the first acting last on the position of a result.
GEOMETRY = (
    _Step("xflip", "xflip", _xflip),
    _Step("rotate90", "rotate90", _rotate90),
    _Step("xint", "xint", _xint),
    _Step("scale", "scale", _scale),
    _Step("rotate", "rotate_before", _rotate("rotate_before")),
    _Step("aniso", "aniso", _aniso),
    _Step("rotate", "rotate_after", _rotate("rotate_after")),
    _Step("xfrac", "xfrac", _xfrac),
)

# Maps of colours, the first acting first.
COLOURS = (
    _Step("brightness", "brightness", lambda d, _: colour.brightness(0.2 * d.normal("brightness"))),
    _Step("contrast", "contrast", lambda d, _: colour.contrast(torch.exp2(0.5 * d.normal("contrast")))),
    _Step("lumaflip", "lumaflip", lambda d, _: colour.luma_flip((2 * d.uniform("lumaflip")).floor())),
    _Step("hue", "hue", lambda d, _: colour.hue_rotation((d.uniform("hue") * 2 - 1) * math.pi)),
    _Step("saturation", "saturation", lambda d, _: colour.saturation(torch.exp2(d.normal("saturation")))),
)


@AUGMENTS.register_module()
class ADA(AdaptiveAugment):
    """Adaptive discriminator augmentation (Karras et al. 2020, Appendix B).

    Every transform hits an image independently with probability p (the two rotations together
    with p), and p adapts to how sure the discriminator is of real images. An image that no
    transform of a kind hits passes that kind unchanged.

    Args:
        transforms: names of transforms or groups: "blit" (xflip, rotate90, xint), "geometric"
            (scale, rotate, aniso, xfrac), "colour" (brightness, contrast, lumaflip, hue,
            saturation), "filter", "noise", "cutout", and the paper's "bg", "bgc", "bgcf",
            "bgcfn", "bgcfnc". Their order does not matter.
        p: where p begins (0 if not given), in [0, 1]; without ``adapt`` p stays there.
        shares: by transform or group, what p is multiplied by for it; R3GAN changes colours half as often.
        adapt: arguments of :class:`AdaptiveProbability`; without it and without ``p``, its defaults.
        same_draw: see :class:`Augment`.

    Raises:
        ValueError: an unknown name or a setting out of range.
    """

    def __init__(
        self,
        transforms: Sequence[str] = ("bgc",),
        p: float | None = None,
        adapt: dict[str, Any] | None = None,
        same_draw: bool = False,
        shares: Mapping[str, float] | None = None,
    ) -> None:
        super().__init__(same_draw)
        self.transforms = expand_names("ADA: transforms", transforms, GROUPS)
        self.min_size = max(SMALLEST.get(name, 1) for name in self.transforms)
        self.shares = self._expand_shares(shares or {})
        self.probability = build_probability(p, adapt)
        self.reads = watched({"p": p, "adapt": adapt})

    def _expand_shares(self, shares: Mapping[str, float]) -> dict[str, float]:
        expanded: dict[str, float] = {}
        for name, share in shares.items():
            if not 0 <= share <= 1:
                raise ValueError(f"ADA: shares[{name!r}] must lie in [0, 1], got {share}")
            for transform in expand_names("ADA: shares", [name], GROUPS):
                if transform not in self.transforms:
                    raise ValueError(
                        f"ADA: shares[{name!r}] is of {transform!r}, which is not among transforms"
                    )
                expanded[transform] = share
        return expanded

    def chance(self, transform: str) -> Tensor:
        """Return the probability of one transform."""
        return self.probability.p * self.shares.get(transform, 1.0)

    def transform(self, image: Tensor, draws: Draws) -> Tensor:
        """Return the images under geometric maps, maps of colour, filter, noise and cutout."""
        place = self._chain(GEOMETRY, 3, image, draws)
        if place is not None:
            image = _where_changed(place, warp(image, place), image)
        # reversed: the later map of colours stands further left
        colours = self._chain(COLOURS[::-1], 4, image, draws)
        if colours is not None:
            image = _where_changed(colours, colour.recolour(image, colours), image)
        for name, apply in {"imgfilter": _amplify_bands, "noise": _add_noise, "cutout": _cut_out}.items():
            if name in self.transforms:
                image = apply(image, draws, self.chance(name))
        return image

    def _chain(self, steps: Sequence[_Step], size: int, image: Tensor, draws: Draws) -> Tensor | None:
        """Return the product of the chosen steps' matrices, (N, size, size); None without steps."""
        steps = [step for step in steps if step.transform in self.transforms]
        if not steps:
            return None
        identity = torch.eye(size, dtype=image.dtype, device=image.device)
        product = identity.expand(len(image), -1, -1)
        for step in steps:
            p = self.chance(step.transform)
            # two rotations, of which at least one happens with probability p
            probability = 1 - (1 - p).sqrt() if step.transform == "rotate" else p
            chosen = draws.chosen(f"use_{step.draw}", probability)
            made = step.make(draws, image)
            product = product @ torch.where(chosen[:, None, None], made, identity)
        return product


def _where_changed(maps: Tensor, changed: Tensor, image: Tensor) -> Tensor:
    """Return ``image`` where its map is the identity, so that rounding leaves no trace of it."""
    identity = torch.eye(maps.shape[-1], dtype=maps.dtype, device=maps.device)
    return torch.where(per_image((maps != identity).flatten(1).any(1)), changed, image)


def _amplify_bands(image: Tensor, draws: Draws, p: Tensor) -> Tensor:
    """Amplify each of four octaves by a log-normal factor, keeping the expected power."""
    power = constant(BAND_POWER, image)
    gains = image.new_ones(len(image), len(BAND_POWER))
    hit = torch.zeros(len(image), dtype=torch.bool, device=image.device)
    for band in range(len(BAND_POWER)):
        chosen = draws.chosen(f"use_imgfilter{band}", p)
        factor = torch.where(chosen, torch.exp2(draws.normal(f"imgfilter{band}")), 1.0)
        gain = torch.ones_like(gains)
        gain[:, band] = factor
        gains = gains * gain / (power * gain.square()).sum(1, keepdim=True).sqrt()
        hit = hit | chosen
    taps = gains @ filter_bank_like(image)
    return torch.where(per_image(hit), filter_images(image, taps), image)


def _add_noise(image: Tensor, draws: Draws, p: Tensor) -> Tensor:
    """Add Gaussian noise whose deviation is half-normal with scale 0.1."""
    deviation = torch.where(draws.chosen("use_noise", p), 0.1 * draws.normal("noise_level").abs(), 0.0)
    return image + per_image(deviation) * draws.normal("noise", *image.shape[1:])


def _cut_out(image: Tensor, draws: Draws, p: Tensor) -> Tensor:
    """Set a rectangle of half the height and width to 0; its centre is uniform over the image."""
    chosen, centre = draws.chosen("use_cutout", p), draws.uniform("cutout", 2)
    inside = []
    for axis, size in enumerate((image.shape[-1], image.shape[-2])):
        place = (torch.arange(size, device=image.device, dtype=image.dtype) + 0.5) / size
        inside.append((place - centre[:, axis, None]).abs() < 0.25)
    hole = inside[1][:, :, None] & inside[0][:, None, :] & chosen[:, None, None]
    return image.masked_fill(hole[:, None], 0.0)
