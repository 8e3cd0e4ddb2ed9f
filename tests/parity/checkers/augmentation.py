"""Checkers: augmentations on the peers' recorded random numbers."""

from __future__ import annotations

import re
from collections.abc import Mapping

import torch
from torch import Tensor

from mmcgan.augments import ADA, APA, AdaptiveProbability, DiffAugment, Draws, FlipAndShift
from mmcgan.augments.wavelets import filter_bank, resampling_filter
from mmcgan.structures import Condition, GANBatch
from tests.parity.cases import GoldenCase
from tests.parity.compare import Comparison
from tests.parity.runner import Unsupported, checker

# Our names of the draws of each of DiffAugment's policies, in the peers' order.
POLICY_DRAWS = {
    "colour": ("brightness", "saturation", "contrast"),
    "translation": ("shift_rows", "shift_columns"),
    "cutout": ("hole_row", "hole_column"),
}
POLICY_SPELLINGS = {"color": "colour"}


class RecordedDraws(Draws):
    """Gives an augmentation recorded numbers by name.

    Args:
        image: the images.
        recorded: by name of the draw, N numbers each.
    """

    def __init__(self, image: Tensor, recorded: Mapping[str, Tensor]) -> None:
        super().__init__(torch.Generator(), image)
        self.recorded = {name: value.reshape(len(image)) for name, value in recorded.items()}

    def uniform(self, name: str, *shape: int) -> Tensor:
        """Return the recorded numbers."""
        return self.recorded[name]

    def integer(self, name: str, low: int, high: int) -> Tensor:
        """Return the recorded integers, which must lie in our range.

        Raises:
            ValueError: one does not.
        """
        value = self.recorded[name]
        if int(value.min()) < low or int(value.max()) > high:
            raise ValueError(f"draw {name!r} lies outside our range [{low}, {high}]: {value.tolist()}")
        return value


class PercentileDraws(Draws):
    """Replaces every number by a percentile of its distribution.

    StudioGAN's normal percentiles lack a factor of sqrt(2); its second rotation does not turn.

    Args:
        image: the images.
        percentile: in (0, 1).
    """

    def __init__(self, image: Tensor, percentile: float) -> None:
        super().__init__(torch.Generator(), image)
        self.image, self.percentile = image, percentile

    def uniform(self, name: str, *shape: int) -> Tensor:
        """Return the percentile."""
        value = 0.5 if name == "rotate_after" else self.percentile
        return self.image.new_full((len(self.image), *shape), value)

    def normal(self, name: str, *shape: int) -> Tensor:
        """Return the percentile of a normal distribution, as StudioGAN computes it."""
        return self.image.new_full((len(self.image), *shape), 2 * self.percentile - 1).erfinv()


@checker(("studiogan", "augmentation/diffaug"), ("ic_gan", "augmentation/diffaug"))
def check_diff_augment(case: GoldenCase, comparison: Comparison) -> None:
    """Every policy, and the gradient of the image under one of them."""
    image = case.tensors["in/x"]
    names = [name for name in case.group("out/") if "/" not in name]
    for name in names:
        leaf = image.clone().requires_grad_()
        changed = _diff_augment(case, name, name, leaf)
        comparison.equal(f"out/{name}", changed, case.tensors[f"out/{name}"])
        if f"out/{name}/grad_x" in case.tensors:
            (gradient,) = torch.autograd.grad((changed * case.tensors["in/grad_weight"]).sum(), leaf)
            comparison.equal(f"out/{name}/grad_x", gradient, case.tensors[f"out/{name}/grad_x"])
    if "out/grad/x" in case.tensors:
        leaf = image.clone().requires_grad_()
        changed = _diff_augment(case, max(names, key=len), "grad", leaf)
        (gradient,) = torch.autograd.grad((changed * case.tensors["in/grad/loss_weight"]).sum(), leaf)
        comparison.equal("out/grad/x", gradient, case.tensors["out/grad/x"])


def _diff_augment(case: GoldenCase, policy: str, draws: str, image: Tensor) -> Tensor:
    words = [POLICY_SPELLINGS.get(word, word) for word in re.split(r"[^a-z]+", policy) if word]
    unknown = [word for word in words if word not in POLICY_DRAWS]
    if unknown:
        raise Unsupported(f"DiffAugment policy {unknown}")
    if not words:
        return image
    recorded = case.group(f"in/{draws}/draw")
    in_order = [recorded[key] for key in sorted(recorded, key=lambda key: int(re.findall(r"^\d+", key)[0]))]
    names = [name for word in words for name in POLICY_DRAWS[word]]
    return DiffAugment(words).transform(image, RecordedDraws(image, dict(zip(names, in_order, strict=True))))


@checker(("studiogan", "augmentation/cr_apa"))
def check_consistency_and_pseudo(case: GoldenCase, comparison: Comparison) -> None:
    """Mirror and shift of CR, and APA's mixture."""
    given = case.group("in/")
    if "x" in given:
        recorded = {"flip": given["flip_draw"], "shift_rows": given["translation_draw0"]}
        recorded["shift_columns"] = given["translation_draw1"]
        changed = FlipAndShift().transform(given["x"], RecordedDraws(given["x"], recorded))
        comparison.equal("out/x", changed, case.tensors["out/x"])
    if "apa_draw" in given:
        real, fake = (GANBatch(given[f"apa_{name}"], Condition()) for name in ("real", "fake"))
        stated = re.findall(r"\bp\s*=\s*([\d.]*\d)", " ".join(case.spec.get("notes", [])))
        draws = RecordedDraws(real.image, {"pseudo": given["apa_draw"]})
        mixed = APA(p=float(stated[0]) if stated else 0.5).mix(real, fake, draws)
        comparison.equal("out/apa", mixed.image, case.tensors["out/apa"])


@checker(("studiogan", "augmentation/ada"))
def check_ada(case: GoldenCase, comparison: Comparison) -> None:
    """Every pipeline at p = 1 and a percentile of all draws, its filters, and how p moves."""
    for name, ours in {"Hz_geom": resampling_filter(), "Hz_fbank": filter_bank()}.items():
        if f"state/{name}" in case.tensors:
            comparison.equal(f"state/{name}", ours.float(), case.tensors[f"state/{name}"])
    image = case.tensors.get("in/x")
    for name, expected in case.group("out/").items():
        found = re.fullmatch(r"(\w+)_pct([\d.]+)", name)
        if name == "p_update_rows":
            _compare_adaptation(case, comparison, expected)
        elif found and image is not None:
            augment = ADA(_transforms(case, found[1]), p=1.0)
            draws = PercentileDraws(image, float(found[2]))
            comparison.equal(f"out/{name}", augment.transform(image, draws), expected)
        else:
            comparison.skip(f"output {name}")


def _transforms(case: GoldenCase, pipeline: str) -> list[str]:
    strengths = case.spec["pipelines"][pipeline]
    partial = {name: value for name, value in strengths.items() if value not in (0, 1)}
    if partial or strengths.get("noise"):
        raise Unsupported(f"pipeline {pipeline}: {partial or 'noise'} needs recorded draws")
    return [name for name, value in strengths.items() if value]


def _compare_adaptation(case: GoldenCase, comparison: Comparison, expected: Tensor) -> None:
    settings = case.spec["p_update"]
    initial = settings.get("initial", 0.0)
    adapt = AdaptiveProbability(initial, target=settings["target"], kimg=settings["kimg"])
    rows = []
    for signs, images in expected[:, :2].float():
        adapt.signs.copy_(signs)
        adapt.images.copy_(images)
        step = adapt.adjust()
        rows.append(torch.stack([signs, images, adapt.overfitting.clone(), step, adapt.p.clone()]))
    comparison.equal("out/p_update_rows", torch.stack(rows), expected)
