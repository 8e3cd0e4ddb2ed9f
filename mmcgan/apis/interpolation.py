"""Pictures of the way from one image to another, and of single directions of the latent."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from mmcgan.analysis import interpolate as way
from mmcgan.analysis import sefa_directions, walk
from mmcgan.apis.drawing import BATCH, Draw
from mmcgan.apis.planning import Asked, conditions_of, labels_in_turn
from mmcgan.condition_fields import condition_field
from mmcgan.films import video_writer, write_film
from mmcgan.models.generators.base import Generator
from mmcgan.output_paths import check_output
from mmcgan.pictures import contact_sheet, write_png
from mmcgan.progress import progress_bar
from mmcgan.structures import Condition
from mmcgan.zoo.models import LoadedModel, given_model

SUFFIXES = (".png", ".gif", ".mp4")


@dataclass(frozen=True)
class InterpolationOptions:
    """What changes along the way, and in which steps.

    Attributes:
        rows: number of ways.
        steps: images on each, both ends included.
        fix_z: keep the latent, change the condition (classes, instances).
        fix_y: keep the condition, change the latent.
        method: ``linear`` or ``spherical``, of latents; embedded conditions always go straight.

    Raises:
        ValueError: a number out of range, or nothing left to change.
    """

    rows: int = 4
    steps: int = 8
    fix_z: bool = False
    fix_y: bool = False
    method: str = "spherical"

    def __post_init__(self) -> None:
        if self.rows < 1 or self.steps < 2:
            raise ValueError(
                f"rows must be at least 1 and steps at least 2, got {self.rows} and {self.steps}"
            )
        if self.fix_z and self.fix_y:
            raise ValueError("with both --fix-z and --fix-y nothing is left to change")


def interpolate(
    source: str | Path | LoadedModel,
    checkpoint: str | Path | None = None,
    *,
    labels: Sequence[int | str] | None = None,
    ways: InterpolationOptions | None = None,
    seed: int = 0,
    truncation: float | None = None,
    out: str | Path = "interpolation.png",
    overwrite: bool = False,
    options: Mapping[str, Any] | None = None,
    attributes: Mapping[str, Any] | None = None,
    to_attributes: Mapping[str, Any] | None = None,
) -> Path:
    """Write a picture of ways between latents, classes or instances: PNG (a row each), GIF or MP4.

    Way r leads from image 2r to image 2r + 1 of ``mmcgan sample`` with the same seed, labels or attributes,
    and truncation.

    Args:
        source, checkpoint, options: see :func:`mmcgan.apis.load_model`; or a model that is loaded already.
        labels: class numbers or names, taken in turn for the ends of the ways; by default drawn as in
            training, and different at both ends of a way where there are several classes.
        ways: what changes, and in which steps.
        seed: of latents and conditions.
        truncation: see :func:`mmcgan.apis.sample`; not for StyleGAN2, whose truncation acts on styles.
        out: file to write, ``.png``, ``.gif`` or, with the extra ``video``, ``.mp4``.
        overwrite: replace the file.
        attributes: group -> name or names, as :func:`mmcgan.apis.sample` takes them: of both ends, in turn.
        to_attributes: those of the second ends alone; way r then leads from combination r of ``attributes``
            to combination r of these.

    Returns:
        The file.

    Raises:
        FileExistsError: the file exists and ``overwrite`` is off.
        ValueError: an unknown suffix, label or attribute, or a model without conditions asked to change them.
    """
    ways, path = ways or InterpolationOptions(), check_target(out, overwrite)
    loaded = given_model(source, checkpoint, options)
    images = interpolated_images(loaded, labels, ways, seed, truncation, attributes, to_attributes)
    write_picture(images, path)
    return path


def interpolated_images(
    loaded: LoadedModel,
    labels: Sequence[int | str] | None,
    ways: InterpolationOptions,
    seed: int,
    truncation: float | None,
    attributes: Mapping[str, Any] | None = None,
    to_attributes: Mapping[str, Any] | None = None,
) -> Tensor:
    """Return the images (rows, steps, 3, H, W) in [-1, 1] that :func:`interpolate` writes."""
    network = loaded.model.generator
    if truncation is not None and not network.truncates_latent:
        raise ValueError("truncation acts on styles of this model: it is not available along a way")
    stuck = [name for name in loaded.requires if not condition_field(name).interpolates]
    if stuck:
        raise ValueError(
            f"{loaded.name} is conditioned on {', '.join(stuck)}: between two of these there is no way to "
            "interpolate; mmcgan sample makes one with several latents"
        )
    draw = Draw(loaded, seed, truncation)
    draw.check()
    latents = [draw.latents(end) for end in _numbers(ways)]
    if ways.fix_z:
        latents[1] = latents[0]
    conditions = _conditions(draw, Asked(labels, attributes), to_attributes, ways)
    device = loaded.model.device
    with torch.no_grad(), _told(network, truncation):
        embedded = [_vectors(network, condition.to(device)) for condition in conditions]
        path = way(latents[0].to(device), latents[1].to(device), ways.steps, ways.method).flatten(0, 1)
        asked = None
        if embedded[0] is not None and embedded[1] is not None:
            asked = way(embedded[0], embedded[1], ways.steps).flatten(0, 1)
        images = _synthesize(network, path, asked)
    return images.unflatten(0, (ways.rows, ways.steps)).float().clamp(-1, 1).cpu()


def _numbers(ways: InterpolationOptions) -> tuple[range, range]:
    """Return the numbers, as ``mmcgan sample`` counts images, of the first and the second ends."""
    return range(0, 2 * ways.rows, 2), range(1, 2 * ways.rows, 2)


def _told(network: Generator, truncation: float | None) -> AbstractContextManager[None]:
    """Let a generator with statistics for every truncation use those of this one meanwhile."""
    return nullcontext() if truncation is None else network.truncated_statistics(truncation)


def _conditions(
    draw: Draw, asked: Asked, to_attributes: Mapping[str, Any] | None, ways: InterpolationOptions
) -> tuple[Condition, Condition]:
    """Return the conditions of both ends, one for each row: of the images of the ends' numbers."""
    loaded = draw.loaded
    if not loaded.requires:
        chosen = (asked.labels, asked.attributes, to_attributes)
        if ways.fix_z or any(each is not None for each in chosen):
            raise ValueError(f"{loaded.name} has no condition that could be chosen or changed")
        return Condition(), Condition()
    if to_attributes is not None:
        if ways.fix_y:
            raise ValueError("with --fix-y both ends have the same attributes: leave --to-attributes out")
        other, rows = replace(asked, attributes=to_attributes), range(ways.rows)
        return conditions_of(draw, asked, rows), conditions_of(draw, other, rows)
    first, second = (conditions_of(draw, asked, numbers) for numbers in _numbers(ways))
    if not ways.fix_y:
        return first, second
    if labels_in_turn(loaded, asked.labels):
        # a way that keeps its condition goes on to the next class in the next row
        first = replace(first, label=conditions_of(draw, asked, range(ways.rows)).label)
    return first, first


def _vectors(network: Any, condition: Condition) -> Tensor | None:
    """Return the embedded conditions, looked up in batches as images are made in."""
    parts = [_vector(network, condition[i : i + BATCH]) for i in range(0, len(condition), BATCH)]
    found = [part for part in parts if part is not None]
    return torch.cat(found) if found else None


def _vector(network: Any, condition: Condition) -> Tensor | None:
    """Return the embedded condition; of labels that layers look up, one-hot rows, which they mix."""
    embedding = network.embed(condition)
    if embedding is None or embedding.is_floating_point():
        return embedding
    return F.one_hot(embedding, network.num_classes).float()


def _synthesize(network: Any, latent: Tensor, embedding: Tensor | None) -> Tensor:
    images = []
    with progress_bar("Sampling", math.ceil(len(latent) / BATCH)) as advance:
        for start in range(0, len(latent), BATCH):
            rows = slice(start, start + BATCH)
            images.append(network.synthesize(latent[rows], None if embedding is None else embedding[rows]))
            advance()
    return torch.cat(images)


def sefa(
    source: str | Path | LoadedModel,
    checkpoint: str | Path | None = None,
    *,
    directions: int = 5,
    strengths: Sequence[float] = (-3.0, -2.0, -1.0, 0.0, 1.0, 2.0, 3.0),
    label: int | str | None = None,
    seed: int = 0,
    out: str | Path = "sefa.png",
    overwrite: bool = False,
    options: Mapping[str, Any] | None = None,
    attributes: Mapping[str, Any] | None = None,
) -> Path:
    """Write a picture with a row per SeFa direction and a column per strength; return the file.

    Args:
        source, checkpoint, options: see :func:`mmcgan.apis.load_model`; or a model that is loaded already.
        directions: number of directions, the strongest first (:func:`mmcgan.analysis.sefa_directions`).
        strengths: multiples of the unit vectors by which one latent is moved.
        label: class to show; by default the first of those trained for.
        seed: of the latent, and of an instance.
        out: ``.png`` (or ``.gif``, ``.mp4``: a frame per strength).
        overwrite: replace the file.
        attributes: to show, see :func:`first_image`.

    Raises:
        FileExistsError: the file exists and ``overwrite`` is off.
        ValueError: too many directions, no strengths, an unknown suffix, label or attribute.
    """
    if not strengths:
        raise ValueError("sefa: strengths is empty")
    path, loaded = check_target(out, overwrite), given_model(source, checkpoint, options)
    latent, condition = first_image(Draw(loaded, seed), label, attributes)
    network = loaded.model.generator
    images = walk(network, latent, condition, sefa_directions(network, directions), strengths)
    write_picture(images.float().clamp(-1, 1).cpu(), path)
    return path


def first_image(
    draw: Draw, label: int | str | None = None, attributes: Mapping[str, Any] | None = None
) -> tuple[Tensor, Condition]:
    """Return the latent (1, D) and the condition of image 0, where the model computes.

    Args:
        draw: model and seed.
        label: class to show; by default the first of those trained for.
        attributes: group -> name or names; the first combination that they allow is shown.

    Raises:
        ValueError: an unknown label or attribute, or one for a model without classes or attributes.
    """
    condition = conditions_of(draw, Asked(None if label is None else [label], attributes), range(1))
    device = draw.loaded.model.device
    return draw.latents(range(1)).to(device), condition.to(device)


def check_target(out: str | Path, overwrite: bool) -> Path:
    """Return the file to write, once it is clear that it can be.

    Raises:
        FileExistsError: it exists and ``overwrite`` is off.
        ImportError: ``.mp4`` without the extra ``video``.
        ValueError: another suffix than those of ``SUFFIXES``, a folder, or a place that cannot be written.
    """
    path = Path(out)
    check_output(path, "--out", SUFFIXES)
    if path.suffix.lower() == ".mp4":
        video_writer()
    if path.exists() and not overwrite:
        raise FileExistsError(f"{path} exists; choose another --out or give --overwrite")
    return path


def write_picture(images: Tensor, path: Path) -> None:
    """Write images (rows, columns, 3, H, W) as a grid, or with another suffix as a frame per column."""
    rows, columns = images.shape[:2]
    if path.suffix.lower() == ".png":
        write_png(contact_sheet(images.flatten(0, 1), columns), path)
        return
    side = math.ceil(math.sqrt(rows))
    blank = images.new_full((-rows % side, *images.shape[2:]), -1.0)
    frames = [contact_sheet(torch.cat([images[:, column], blank]), side) for column in range(columns)]
    frames += frames[-2:0:-1]  # and back again, so that it can be repeated without a jump
    write_film(frames, path)
