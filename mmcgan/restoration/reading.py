"""Image files as a generator is to restore them: their size, what is missing, what comes out."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import Tensor
from torch.nn import functional as F

from mmcgan.datasets.decode import image_size
from mmcgan.memory import available_memory, check_memory
from mmcgan.models.generators.base import Generator
from mmcgan.registry import DEGRADATIONS
from mmcgan.restoration.degradations import Degradation
from mmcgan.restoration.images import read_as_is, read_square, read_whole
from mmcgan.restoration.options import RestoreOptions
from mmcgan.restoration.prior import Prior
from mmcgan.restoration.render import Size

#: Tasks with a factor, and what it is unless set.
FACTORS = {"sr": 4.0, "hybrid": 2.0}
#: Of one pixel while a generator of any size is tuned, for each channel of its implicit output layer: values
#: and gradients of that layer and of a discriminator. Measured: 21 for 67 channels and a small discriminator.
BYTES_PER_CHANNEL = 48


@dataclass(frozen=True)
class Given:
    """An image that is to be restored.

    Attributes:
        target: (1, 3, H, W) in [-1, 1], degraded.
        original: the same undamaged, where it is known.
        size: height and width that a generator of any size is asked for while it is tuned; None for others.
        output: height and width of the picture that is written.
        degradation: what happened to the image.
    """

    target: Tensor
    original: Tensor | None
    size: Size | None
    output: Size
    degradation: Degradation


def degradation_of(task: str, factor: float | None, missing: Tensor | None = None) -> Degradation:
    """Return the degradation of a task, with its own factor where None is given.

    Args:
        task: its name.
        factor: of the tasks of ``FACTORS``.
        missing: of task ``inpaint``, see :class:`~mmcgan.restoration.degradations.Inpainting`.
    """
    settings: dict[str, Any] = {"factor": factor or FACTORS[task]} if task in FACTORS else {}
    if missing is not None:
        settings["missing"] = missing
    return DEGRADATIONS.build({"type": task, **settings})


def read_given(prior: Prior, path: Path, task: str, options: RestoreOptions) -> Given:
    """Return an image file as a task has it.

    A generator of any size takes the whole image, others the centre square. Gray images get three equal
    channels, transparency is laid over white.

    Raises:
        BadImageError: the file cannot be read.
        ValueError: a size or factor that the generator does not make, or that memory does not hold.
    """
    own: int = prior.generator.image_size
    any_size = prior.generator.any_size
    if not any_size and (options.size not in (None, own) or options.render not in (None, own)):
        raise ValueError(
            f"size={options.size}, render={options.render}: {prior.loaded.name} makes images of "
            f"{own} x {own} only"
        )
    if options.degraded and task in FACTORS:
        given = (
            _small_whole(path, task, own, options)
            if any_size
            else _small_square(prior, path, task, own, options)
        )
    else:
        image = read_whole(path, options.size or own) if any_size else read_square(path, own)
        shape = (image.shape[2], image.shape[3])
        missing = None if options.mask is None else _read_mask(Path(options.mask), path, shape, any_size)
        degradation = degradation_of(task, options.factor, missing)
        target, original = (image, None) if options.degraded else (degradation.target(image), image)
        if options.degraded and missing is not None:
            target = degradation.target(image)  # whatever stands in the marked part is no part of the image
        given = Given(
            target, original, shape if any_size else None, _output(shape, options.render), degradation
        )
    if given.size is not None:
        _check_tuning(given.size, prior.generator, path)
    check_memory(given.output, path.name, "a smaller --factor or --render: a picture")
    return given


def _read_mask(mask: Path, image: Path, shape: Size, whole: bool) -> Tensor:
    """Return what a mask marks as missing of an image as it is tuned, bool (H, W).

    Raises:
        BadImageError: the mask cannot be read.
        ValueError: it is of another size than the image, or marks nothing, or everything.
    """
    sizes = [image_size(each) for each in (mask, image)]
    if sizes[0] != sizes[1]:
        found, needed = (f"{width} x {height}" for width, height in sizes)
        raise ValueError(f"{mask.name}: the mask is {found} (width x height), {image.name} is {needed}")
    marks = read_as_is(mask)
    if not whole:
        side = min(marks.shape[2:])
        top, left = (round((length - side) / 2) for length in marks.shape[2:])
        marks = marks[:, :, top : top + side, left : left + side]
    bright = (marks.mean(dim=1, keepdim=True) > 0).float()
    return F.adaptive_max_pool2d(bright, shape)[0, 0] > 0


def _output(shape: Size, render: int | None) -> Size:
    scale = 1.0 if render is None else render / min(shape)
    return (max(1, round(shape[0] * scale)), max(1, round(shape[1] * scale)))


def _small_whole(path: Path, task: str, own: int, options: RestoreOptions) -> Given:
    """Read an image that is small; it is tuned at the generator's own size, or at its own if larger."""
    small = read_as_is(path)
    if options.size is not None and options.size < min(small.shape[2:]):
        small = read_whole(path, options.size)
    height, width = small.shape[2:]
    grown = max(1.0, (options.size or own) / min(height, width))
    size = (round(height * grown), round(width * grown))
    factor = options.factor or FACTORS[task]
    output = (max(1, round(height * factor)), max(1, round(width * factor)))
    if options.render is not None:
        output = _output(size, options.render)
    degradation = degradation_of(task, grown)
    return Given(degradation.place(small, size), None, size, output, degradation)


def _small_square(prior: Prior, path: Path, task: str, own: int, options: RestoreOptions) -> Given:
    """Read the centre square of an image that is small; it grows to the generator's size."""
    small = read_as_is(path)
    side = min(small.shape[2:])
    if side >= own:
        small, side = read_square(path, own), own
    top, left = ((length - side) // 2 for length in small.shape[2:])
    small = small[:, :, top : top + side, left : left + side]
    if options.factor is not None and round(side * options.factor) != own:
        raise ValueError(
            f"factor={options.factor:g}: {prior.loaded.name} makes images of {own} x {own} only, "
            f"{own / side:g} times the {side} x {side} of {path.name}; a generator of any size makes others"
        )
    degradation = degradation_of(task, own / side)
    return Given(degradation.place(small, (own, own)), None, None, (own, own), degradation)


def _check_tuning(size: Size, generator: Generator, path: Path) -> None:
    needed = size[0] * size[1] * BYTES_PER_CHANNEL * generator.full_size_channels
    available = available_memory()
    if available is not None and needed > available:
        raise ValueError(
            f"{path.name}: tuning a generator at {size[0]} x {size[1]} takes about {needed / 1e9:.1f} GB of "
            f"memory, {available / 1e9:.1f} GB are available; set a smaller --size (shorter side), the "
            "result can still be rendered larger with --render"
        )
