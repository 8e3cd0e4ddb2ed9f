"""Checkers: SPADE's preparation of label maps, its losses and its training step."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from mmcgan.datasets.label_maps.base import DONT_CARE
from mmcgan.datasets.label_maps.map_transform import MapTransform, height_and_width
from mmcgan.label_maps import instance_edges, one_hot_map
from mmcgan.losses import HingeLoss, LeastSquaresLoss, NonSaturatingLoss, WassersteinLoss
from mmcgan.losses.base import Loss
from mmcgan.losses.latent_law import LatentLawLoss
from mmcgan.losses.paired import FeatureMapLoss
from mmcgan.losses.perceptual import PerceptualLoss, VGG19Features
from mmcgan.models.encoder import sample_law
from mmcgan.models.wiring import WiredLoss
from tests.parity.cases import GoldenCase
from tests.parity.compare import Comparison, Tolerance
from tests.parity.runner import Unsupported, checker

EXACT = Tolerance(1e-9, 1e-9)
LOSS = Tolerance(1e-5, 1e-7)
PIXELS = Tolerance(1e-6, 1e-6)
#: By the peer's names, given the targets of real and generated images.
LOSSES: dict[str, Callable[[float, float], Loss]] = {
    "ls": lambda real, fake: LeastSquaresLoss(1.0, real, fake),
    "original": NonSaturatingLoss,
    "w": lambda real, fake: WassersteinLoss(),
    "hinge": lambda real, fake: HingeLoss(),
}
VIEWS = {"D_real": "real", "D_fake": "fake", "G": "generated"}
#: Our names of what an encoder tells of a latent, and the peer's.
LAW = {"mean": "mu", "log_variance": "logvar"}
#: Where the hinge has a corner, whose slope is a matter of convention.
CORNERS = {"D_real": 1.0, "D_fake": -1.0}


# --- data ---------------------------------------------------------------------------------------


@checker(("spade", "data"))
def check_data(case: GoldenCase, comparison: Comparison) -> None:
    """Image, classes and instances after resizing, the recorded crop and the recorded flip."""
    settings = case.spec["constructor_settings"]
    transform, label_nc = map_transform(settings), settings["label_nc"]
    flips = settings.get("isTrain", True) and not settings.get("no_flip", False)
    arrays = {name: value.numpy() for name, value in case.group("in/").items()}
    for draw, chosen in case.spec["draws"].items():
        left, top = chosen["crop_pos"]
        corner = (0, 0) if transform.mode == "fixed" else (top, left)
        label = torch.from_numpy(transform.ids(arrays["label"], corner))
        image = torch.from_numpy(transform.image(arrays["image"], corner)).permute(2, 0, 1)
        found = {
            "label": torch.where(label == DONT_CARE, label_nc, label)[None].float(),
            "image": image.float() / 127.5 - 1,
        }
        if "instance" in arrays:
            ids = torch.from_numpy(transform.ids(arrays["instance"], corner))[None]
            found["instance"] = _narrow(ids, chosen)
        for name, value in found.items():
            key = f"out/{name}/{draw}"
            value = value.flip(-1) if flips and chosen["flip"] else value
            comparison.equal(key, value, case.tensors[key], PIXELS if name == "image" else EXACT)


class PeerShortSide(MapTransform):
    """The peer's scaling of the shorter side, which stretches the longer one alone; beyond it is black."""

    def loaded_size(self, size: tuple[int, int]) -> tuple[int, int]:
        """Return (height, width) before cropping."""
        short, long = min(size), int((self.load_size or 0) * max(size) / min(size))
        return (long, short) if size[1] == short else (short, long)

    def _apply(self, array: np.ndarray, corner: tuple[int, int], method: Image.Resampling) -> np.ndarray:
        found = super()._apply(array, corner, method)
        missing = [(0, whole - part) for whole, part in zip(self._crop, found.shape, strict=False)]
        return np.pad(found, [*missing, *[(0, 0)] * (found.ndim - 2)])

    @property
    def _crop(self) -> tuple[int, int]:
        return height_and_width(self.image_size)


def map_transform(settings: Mapping[str, Any]) -> MapTransform:
    mode, crop = settings["preprocess_mode"], settings["crop_size"]
    if mode == "fixed":
        return MapTransform((round(crop / settings["aspect_ratio"]), crop))
    if mode == "scale_shortside_and_crop":
        return PeerShortSide(crop, mode, max(settings["load_size"], crop))
    if mode not in ("resize_and_crop", "scale_width_and_crop", "crop"):
        raise Unsupported(f"preprocess_mode {mode!r}")
    return MapTransform(crop, mode, settings["load_size"])


def _narrow(ids: Tensor, chosen: Mapping[str, Any]) -> Tensor:
    """Return instance ids as the peer holds them: 16-bit files lose the sign of the largest."""
    return ids.to(torch.int16).long() if chosen.get("instance_dtype") == "torch.int16" else ids


@checker(("spade", "preprocessing"))
def check_preprocessing(case: GoldenCase, comparison: Comparison) -> None:
    """One-hot map and edges, and what the discriminator is shown: maps with fakes, then with real images."""
    settings = case.spec["constructor_settings"]
    label, image, fake = (case.tensors[f"in/{name}"] for name in ("label", "image", "fake"))
    edges = None
    if not settings["no_instance"]:
        edges = instance_edges(case.tensors["in/instance"][:, 0])
        comparison.equal("out/edges", edges[:, None].float(), case.tensors["out/edges"], EXACT)
    classes = settings["label_nc"] + bool(settings["contain_dontcare_label"])
    semantics = one_hot_map(label[:, 0].long(), classes, edges)
    comparison.equal("out/semantics", semantics, case.tensors["out/semantics"], EXACT)
    shown = torch.cat([torch.cat([semantics, part], dim=1) for part in (fake, image)])
    comparison.equal("out/D_input", shown, case.tensors["out/D_input"], EXACT)
    _compare_halves(case, comparison, shown)


def _compare_halves(case: GoldenCase, comparison: Comparison, x: Tensor) -> None:
    """Compare the outputs of the recorded stand-in for D, cut into fake and real rows."""
    outputs = {"0/0": x[:, -4:], "0/1": x.mean(1, keepdim=True), "1/0": 2 * x[:, :2], "1/1": x[:, :1]}
    half = len(x) // 2
    for name, value in outputs.items():
        for side, rows in (("fake", slice(half)), ("real", slice(half, None))):
            key = f"out/pred_{side}/{name}"
            comparison.equal(key, value[rows], case.tensors[key], PIXELS)


# --- losses -------------------------------------------------------------------------------------


@checker(("spade", "loss"))
def check_loss(case: GoldenCase, comparison: Comparison) -> None:
    """Adversarial losses over scales, the generator's terms, or the perceptual loss."""
    if "in/pred/0" in case.tensors:
        _check_adversarial(case, comparison)
    elif "in/mu" in case.tensors or "in/fake/0/0" in case.tensors:
        _check_generator_terms(case, comparison)
    elif "VGG" in case.spec["constructor_settings"]:
        _check_perceptual(case, comparison)
    else:
        raise Unsupported("a loss of unknown inputs")


def _check_adversarial(case: GoldenCase, comparison: Comparison) -> None:
    settings = case.spec["constructor_settings"]
    targets = (settings.get("target_real_label", 1.0), settings.get("target_fake_label", 0.0))
    scales = [f"scale.{index}" for index in range(len(case.group("in/pred/")))]
    modes = {key.split("/")[0] for key in case.group("out/")} - {"single"}
    for mode in sorted(modes):
        if mode not in LOSSES:
            comparison.skip(f"gan_mode {mode!r}")
            continue
        wired = WiredLoss("gan", LOSSES[mode](*targets), {"logit": scales}, 1.0, scales)
        for term, view in VIEWS.items():
            _compare_term(case, comparison, wired, mode, term, view)


def _compare_term(
    case: GoldenCase, comparison: Comparison, wired: WiredLoss, mode: str, term: str, view: str
) -> None:
    given = case.group("in/pred/")
    logits = [given[str(index)].clone().requires_grad_() for index in range(len(given))]
    named = {f"scale.{index}": logit for index, logit in enumerate(logits)}
    terms = wired.generator(named, None) if view == "generated" else wired.discriminator(named, named)
    value = terms[f"gan_{view}"]
    comparison.equal(f"out/{mode}/{term}", value, case.tensors[f"out/{mode}/{term}"], LOSS)
    single = f"out/single/{mode}/{term}"
    if single in case.tensors:
        comparison.equal(single, getattr(wired.loss, view)(logit=logits[0]), case.tensors[single], LOSS)
    for index, gradient in enumerate(torch.autograd.grad(value, logits)):
        key = f"out/{mode}/{term}_grad/{index}"
        smooth = torch.ones_like(gradient, dtype=torch.bool)
        if mode == "hinge" and term in CORNERS:
            smooth = logits[index].detach() != CORNERS[term]
        comparison.equal(key, gradient[smooth], case.tensors[key][smooth], LOSS)


def _check_generator_terms(case: GoldenCase, comparison: Comparison) -> None:
    """Hinge, feature matching and divergence, wired as in a config, and their gradients."""
    settings = case.spec["constructor_settings"]
    fake, real = (_features(case, f"in/{side}/") for side in ("fake", "real"))
    logits = _last_layers(fake)
    layers = [name for name in fake if name not in logits]
    weight = settings["lambda_feat"] * len(layers) / len(logits)
    stored = {ours: theirs for ours, theirs in LAW.items() if f"in/{theirs}" in case.tensors}
    law = {f"latent.{o}": case.tensors[f"in/{t}"].clone().requires_grad_() for o, t in stored.items()}
    named = {**fake, **law}
    losses = {
        "GAN": WiredLoss("GAN", LOSSES[settings["gan_mode"]](1.0, 0.0), {"logit": logits}, 1.0, logits),
    }
    if not settings.get("no_ganFeat_loss"):
        losses["GAN_Feat"] = WiredLoss("GAN_Feat", FeatureMapLoss(), {"feature": layers}, weight, layers)
    if settings.get("use_vae"):
        sources = [f"latent.{name}" for name in LAW]
        losses["KLD"] = WiredLoss("KLD", LatentLawLoss(), None, settings["lambda_kld"], sources)
        _check_law(case, comparison, named)
    values = {
        name: torch.stack([*loss.generator(named, real).values()]).sum() for name, loss in losses.items()
    }
    for name, value in values.items():
        comparison.equal(f"out/{name}", value, case.tensors[f"out/{name}"], LOSS)
    torch.stack([*values.values()]).sum().backward()
    for name, leaf in fake.items():
        key = f"out/grad_fake/{name}"
        if key in case.tensors:
            comparison.equal(key, gradient_of(leaf), case.tensors[key], LOSS)
    for ours, theirs in LAW.items():
        if f"out/grad_{theirs}" in case.tensors:
            gradient = gradient_of(named[f"latent.{ours}"])
            comparison.equal(f"out/grad_{theirs}", gradient, case.tensors[f"out/grad_{theirs}"], LOSS)


def gradient_of(leaf: Tensor) -> Tensor:
    """Return the gradient of a leaf; zeros where nothing reached it."""
    return torch.zeros_like(leaf) if leaf.grad is None else leaf.grad


def _features(case: GoldenCase, prefix: str) -> dict[str, Tensor]:
    return {name: value.clone().requires_grad_() for name, value in case.group(prefix).items()}


def _last_layers(names: Iterable[str]) -> list[str]:
    """Return the deepest layer of every scale, of names ``scale/layer``."""
    last: dict[str, int] = {}
    for name in names:
        scale, layer = name.split("/")
        last[scale] = max(last.get(scale, 0), int(layer))
    return [f"{scale}/{layer}" for scale, layer in last.items()]


def _check_law(case: GoldenCase, comparison: Comparison, named: Mapping[str, Tensor]) -> None:
    mean, log_variance = named["latent.mean"], named["latent.log_variance"]
    latent = sample_law(mean, log_variance, case.tensors["in/eps"])
    comparison.equal("out/z", latent, case.tensors["out/z"], LOSS)
    value = LatentLawLoss().generated(mean, log_variance)
    comparison.equal("out/KLD_unweighted", value, case.tensors["out/KLD_unweighted"], LOSS)


def _check_perceptual(case: GoldenCase, comparison: Comparison) -> None:
    network = VGG19Features()
    state = {f"features.{name.split('.', 2)[2]}": value for name, value in case.state().items()}
    network.load_state_dict(state)
    count = sum(parameter.numel() for parameter in network.parameters())
    comparison.equal("parameter count", float(count), float(case.spec["param_count"]), EXACT)
    loss = PerceptualLoss(tap_weights=case.spec["constructor_settings"]["weights"], features=network)
    fake, real = case.tensors["in/fake"].clone().requires_grad_(), case.tensors["in/real"]
    for index, tap in enumerate(network(fake)):
        comparison.equal(f"out/feature_mean/{index}", tap.mean(), case.tensors[f"out/feature_mean/{index}"])
        shape = case.tensors[f"out/feature_shape/{index}"]
        comparison.equal(f"out/feature_shape/{index}", torch.tensor(tap.shape), shape, EXACT)
    for index, distance in enumerate(loss.distances(fake, real)):
        comparison.equal(f"out/l1/{index}", distance, case.tensors[f"out/l1/{index}"])
    value = loss.generator({"image": fake}, {"image": real})
    comparison.equal("out/loss", value, case.tensors["out/loss"])
    value.backward()
    expected = case.tensors["out/grad_fake"]
    tolerance = Tolerance(1e-3, 1e-4 * float(expected.abs().max()))
    comparison.equal("out/grad_fake", gradient_of(fake), expected, tolerance)
