"""Checks of generators, backbones and heads."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from mmcgan.apis.onnx_export import TOLERANCE, exported_difference
from mmcgan.models.generators.base import Generator
from mmcgan.registry import BACKBONES, GENERATORS, HEADS
from mmcgan.structures import Condition, height_and_width
from mmcgan.testing.requirements import (
    ROWS,
    built,
    check_finite,
    check_state,
    made_up_condition,
    require,
    source,
)
from mmcgan.testing.training import check_resume


def check_generator(
    generator: Any,
    condition: Condition | None = None,
    sizes: Mapping[str, int] | None = None,
    export: bool = False,
) -> None:
    """Check a generator: shapes, determinism, rows, gradients, saving, resuming, export, what it declares.

    Args:
        generator: built, or its config.
        condition: of three images; made up if None.
        sizes: lengths of ``instance`` and ``attributes``, classes of ``label_map``, for one made up.
        export: also write it as ONNX and compare, which takes seconds; needs the extra ``onnx``.

    Raises:
        CheckError: names what is wrong.
    """
    network = built(GENERATORS, generator).eval()
    name, size = type(network).__name__, height_and_width(network.image_size)
    if condition is None:
        known = {**{name: network.size_of(name) for name in network.requires}, **(sizes or {})}
        condition = made_up_condition(network.requires, ROWS, network.num_classes, known, network.image_size)
    latent = torch.randn(ROWS, network.latent_dim, generator=source())
    with torch.no_grad():
        image = network(latent, condition)
        require(tuple(image.shape) == (ROWS, 3, *size), f"{name}: images have the shape {tuple(image.shape)}")
        check_finite(name, "its image", image)
        again = network(latent, condition)
        require(torch.equal(image, again), f"{name}: two calls in evaluation differ")
        parts = network.synthesize(latent, network.embed(condition))
        require(torch.allclose(image, parts, atol=1e-5), f"{name}: forward is not synthesize of embed")
        alone = network(latent[:1], condition[slice(0, 1)])
        unlike = (alone - image[:1]).abs().max() / image.abs().max().clamp_min(1)
        require(float(unlike) < 1e-4, f"{name}: an image depends on others of its batch")
        check_state(network, lambda module: {"its image": module(latent, condition)})
    _check_generator_gradients(network, name, latent, condition)
    check_resume(network, lambda module: module(latent.detach(), condition).square().mean())
    _check_structure(network, name)
    if export:
        with tempfile.TemporaryDirectory() as folder:
            difference = exported_difference(
                network.eval(), latent.detach(), condition, Path(folder) / "network.onnx"
            )
        require(difference <= TOLERANCE, f"{name}: as ONNX its images differ by {difference:.3g}")


def _check_generator_gradients(network: Any, name: str, latent: Tensor, condition: Condition) -> None:
    network.train().zero_grad()
    image = network(latent.requires_grad_(network.latent_dim > 0), condition)
    image.square().sum().backward()
    if network.latent_dim:
        require(latent.grad is not None and bool(latent.grad.any()), f"{name}: no gradient reaches z")
    trained = [p for p in network.parameters() if p.requires_grad]
    require(not trained or any(p.grad is not None and p.grad.any() for p in trained), f"{name}: no gradients")
    if network.latent_dim:
        image, point = network.enter(latent.detach(), condition)
        slope = torch.autograd.grad(image.sum(), point)[0]
        require(slope.shape == point.shape, f"{name}: enter() returns a point without gradient")
    network.eval()


def _check_structure(network: Any, name: str) -> None:
    """Check what optional members say where they say something."""
    own = {id(parameter) for parameter in network.parameters()}
    if type(network).stages is not Generator.stages:
        stages = network.stages()
        modules = [module for block in stages.blocks for module in block]
        held = [id(p) for module in modules for p in module.parameters()]
        require(
            bool(modules) and len(held) == len(set(held)), f"{name}: stages() has no blocks, or shares some"
        )
        require(set(held) <= own, f"{name}: stages() has parameters of something else")
    if network.latent_dim and type(network).first_map is not Generator.first_map:
        first = network.first_map()
        width = network.latent_dim if first.space == "latent" else first.matrix.shape[1]
        require(
            first.matrix.ndim == 2 and first.matrix.shape[1] == width, f"{name}: first_map() is no map of z"
        )


def check_backbone(
    backbone: Any,
    image_size: int = 16,
    condition: Condition | None = None,
    sizes: Mapping[str, int] | None = None,
    second_derivatives: bool = True,
) -> None:
    """Check a backbone: features and their shapes, determinism, gradients, second ones, saving, resuming.

    Args:
        backbone: built, or its config.
        image_size: side of the images.
        condition: of three images, if it looks at one; made up if None.
        sizes: see :func:`check_generator`.
        second_derivatives: whether R1 must be possible.

    Raises:
        CheckError: names what is wrong.
    """
    network = built(BACKBONES, backbone).eval()
    name = type(network).__name__
    if condition is None:
        condition = made_up_condition(network.requires, ROWS, 0, sizes or {}, image_size)
    given = (condition,) if network.requires else ()
    image = torch.randn(ROWS, 3, image_size, image_size, generator=source()).clamp(-1, 1)
    with torch.no_grad():
        features = network(image, *given)
        require(
            set(features) == set(network.emits), f"{name} returns {sorted(features)}, emits {network.emits}"
        )
        require("pooled" in features or "map" in features, f"{name} emits neither pooled nor map")
        for key, value in features.items():
            check_finite(name, key, value)
            require(len(value) == ROWS, f"{name}: {key} has {len(value)} rows for {ROWS} images")
        for key in {"pooled", "map"} & set(features):
            width = features[key].shape[1]
            require(width == network.out_channels, f"{name}: {key} has {width} channels, not out_channels")
        again = network(image, *given)
        require(all(torch.equal(again[k], v) for k, v in features.items()), f"{name}: two calls differ")
        check_state(network, lambda module: module(image, *given))
    require(len(network.stages()) > 0, f"{name}: stages() is empty")
    check_resume(network, lambda module: sum(v.square().mean() for v in module(image, *given).values()))
    _check_slopes(
        name, lambda x: sum(v.float().mean() for v in network(x, *given).values()), image, second_derivatives
    )


def _check_slopes(name: str, scalar: Any, image: Tensor, second: bool) -> None:
    image = image.detach().requires_grad_()
    slope = torch.autograd.grad(scalar(image), image, create_graph=second)[0]
    require(bool(slope.any()), f"{name}: no gradient reaches the image")
    if second:
        require(slope.requires_grad, f"{name}: its gradient has no derivative, which R1 needs")
        slope.square().sum().backward()


def check_head(
    head: Any,
    num_classes: int | None = None,
    in_channels: int = 8,
    condition: Condition | None = None,
    sizes: Mapping[str, int] | None = None,
    second_derivatives: bool = True,
) -> None:
    """Check a head on made-up features ``pooled`` (3, C) and ``map`` (3, C, 4, 4).

    Args:
        head: its config; ``in_channels`` is filled in.
        num_classes: of labels made up; by default what the config says, or 3.
        in_channels: C.
        condition, sizes: see :func:`check_generator`.
        second_derivatives: whether R1 must be possible.

    Raises:
        CheckError: names what is wrong.
    """
    if num_classes is None:
        num_classes = (head.get("num_classes") if isinstance(head, Mapping) else None) or 3
    network = built(HEADS, head, in_channels=in_channels).eval()
    name = type(network).__name__
    if condition is None:
        condition = made_up_condition(network.requires, ROWS, num_classes, sizes or {}, 4)
    maps = torch.randn(ROWS, in_channels, 4, 4, generator=source())
    names = {"map", *(each for each in network.reads if each.startswith("map"))}
    pooled = {"pooled", *(each for each in network.reads if each.startswith("pooled"))}

    def outputs(x: Tensor, module: Any = network) -> Any:
        return module({**dict.fromkeys(names, x), **dict.fromkeys(pooled, x.mean((2, 3)))}, condition)

    with torch.no_grad():
        found = outputs(maps)
        require(set(found) == set(network.emits), f"{name} returns {sorted(found)}, emits {network.emits}")
        for key, value in found.items():
            check_finite(name, key, value)
            require(len(value) == ROWS, f"{name}: {key} has {len(value)} rows for {ROWS} images")
        check_state(network, lambda module: outputs(maps, module))
        judged, scores = network.realness(found), network.class_scores(found)
        require(judged is None or judged.shape == (ROWS,), f"{name}: realness() is not one number an image")
        require(scores is None or scores.ndim == 2, f"{name}: class_scores() is not (N, classes)")
    check_resume(network, lambda module: sum(v.square().mean() for v in outputs(maps, module).values()))
    _check_slopes(
        name, lambda x: sum(v.float().square().mean() for v in outputs(x).values()), maps, second_derivatives
    )
