"""Sample images from a trained generator and write them."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from mmcgan.apis.attribute_sampling import DEFAULT_NUM, AttributeRequest, attribute_groups, attribute_request
from mmcgan.apis.instance_sampling import InstanceOptions, check_options, instance_request, nearest_picture
from mmcgan.apis.label_map_sampling import MapRequest, check_label_maps, file_request, map_sheet
from mmcgan.apis.latent_moves import attach_move
from mmcgan.apis.views import View, checked_view, shrunk
from mmcgan.models.sampling import truncates_latent
from mmcgan.pictures import contact_sheet, tile, write_png
from mmcgan.progress import progress_bar
from mmcgan.random import make_generator
from mmcgan.registry import nearest
from mmcgan.samplers.latent import truncate
from mmcgan.samplers.moves import LatentMove
from mmcgan.structures import Condition
from mmcgan.zoo.models import LoadedModel, load_model

BATCH = 64
GRID, NEAREST = "grid.png", "nearest.png"
# enough draws to see every class that a generator was trained to show
PROBES = 10000


@dataclass(frozen=True)
class SampleResult:
    """What was written.

    Attributes:
        grid: one picture of all images, a column per label.
        images: one file per image.
        labels: the label of each image; None for a model without labels.
        nearest: the instances and their closest images beside what was made of them; None if not asked for.
        attributes: those of each image, such as ``digit=3 domain=textured``; None for a model without.
    """

    grid: Path
    images: list[Path]
    labels: list[int] | None
    nearest: Path | None = None
    attributes: list[str] | None = None


def sample(
    source: str | Path,
    checkpoint: str | Path | None = None,
    *,
    labels: Sequence[int | str] | None = None,
    num: int | None = None,
    seed: int = 0,
    truncation: float | None = None,
    out: str | Path = "samples",
    overwrite: bool = False,
    options: Mapping[str, Any] | None = None,
    instances: InstanceOptions | None = None,
    move: LatentMove | None = None,
    view: View | None = None,
    attributes: Mapping[str, Any] | None = None,
    label_maps: Sequence[str | Path] = (),
) -> SampleResult:
    """Sample ``num`` images and write each as PNG, and all as ``grid.png``, large ones made small.

    Image i depends on the seed, its condition and i alone, not on ``num``.

    Args:
        source, checkpoint, options: see :func:`mmcgan.apis.load_model`.
        labels: class numbers or names, taken in turn; by default every class in turn.
        num: number of images in all; by default 16, or one of each combination of attributes.
        seed: of the latents.
        truncation: redraw latent values outside [-truncation, truncation] (BigGAN, Sec. 3.1); for
            StyleGAN2 psi, the share of a style's distance from the mean style that is kept.
        out: folder to write to.
        overwrite: replace files that are there.
        instances: for an instance-conditioned model: photos to condition on, grids, closest images. Without
            it, instances are drawn as in training, or from those that came with the weights.
        move: rule by which the discriminator moves the latents, such as
            :class:`~mmcgan.samplers.LangevinLatents` (DDLS); needs the ``.pth`` checkpoint of a run.
        view: size of the images and the part to render, for a generator with an implicit output layer.
        attributes: group -> name or names, for a model with attributes; exclusive groups that are left out
            go through all their attributes.
        label_maps: pictures of class ids, or folders of them, for a model that paints label maps; by default
            those of the data that was held out from training. ``grid.png`` then shows label map, real image
            (where there is one) and sample side by side.

    Raises:
        FileExistsError: a file is there and ``overwrite`` is off; nothing is written.
        FileNotFoundError: a photo, the extractor, the store of instances or a label map is not there.
        ValueError: ``num`` below 1, an unknown or missing label or attribute, an unreadable photo, another
            extractor than that of training, weights that do not fit, or a size that cannot be made.
    """
    if num is not None and num < 1:
        raise ValueError(f"num must be at least 1, got {num}")
    loaded = load_model(source, checkpoint, options)
    if move is not None:
        attach_move(loaded, move, source if checkpoint is None else checkpoint)
    view = checked_view(loaded.model.generator, view, loaded.name)
    folder = Path(out)
    _check(loaded, truncation, folder)
    check_options(loaded, instances)
    check_label_maps(loaded, label_maps)
    output = _Output(folder, overwrite, truncation, view)
    if attributes is not None or "attributes" in loaded.requires:
        return _sample_attributes(
            loaded, attribute_request(loaded, attributes, num, seed), labels, seed, output
        )
    num = DEFAULT_NUM if num is None else num
    if "label_map" in loaded.requires:
        return _sample_label_maps(loaded, file_request(loaded, label_maps, num), seed, output)
    if "instance" in loaded.requires:
        return _sample_instances(loaded, instances or InstanceOptions(), labels, num, seed, output)
    return _sample_labels(loaded, labels, num, seed, output)


def _check(loaded: LoadedModel, truncation: float | None, folder: Path) -> None:
    if truncation is not None and truncates_latent(loaded.model.generator) and not truncation > 0:
        raise ValueError(f"truncation must be greater than 0, got {truncation}")
    if folder.exists() and not folder.is_dir():
        raise FileExistsError(f"--out {folder} is a file; choose a folder")


@dataclass(frozen=True)
class _Output:
    folder: Path
    overwrite: bool
    truncation: float | None
    view: View | None


def _sample_labels(
    loaded: LoadedModel, labels: Sequence[int | str] | None, num: int, seed: int, output: _Output
) -> SampleResult:
    chosen = find_labels(loaded, labels)
    assigned = [chosen[i % len(chosen)] for i in range(num)] if chosen else None
    files = [output.folder / _file_name(i, assigned, loaded.record.classes) for i in range(num)]
    if not output.overwrite:
        _refuse_existing([output.folder / GRID, *files])
    drawn = _drawn(loaded, num, assigned, seed, output.truncation)
    columns = min(len(chosen) if chosen and len(chosen) > 1 else math.ceil(math.sqrt(num)), num)
    _write_images(_made(loaded, *drawn, output.truncation, output.view), files, columns)
    return SampleResult(output.folder / GRID, files, assigned)


def _sample_attributes(
    loaded: LoadedModel,
    request: AttributeRequest,
    labels: Sequence[int | str] | None,
    seed: int,
    output: _Output,
) -> SampleResult:
    if labels is not None:
        groups = attribute_groups(loaded).describe()
        raise ValueError(f"{loaded.name} has attributes in place of labels: give --attributes of {groups}")
    files = [output.folder / f"{name}.png" for name in request.names]
    if not output.overwrite:
        _refuse_existing([output.folder / GRID, *files])
    latent = torch.cat([_latent(loaded, seed, i, output.truncation) for i in range(len(files))])
    condition = Condition(attributes=request.attributes)
    images = _made(loaded, condition, latent, output.truncation, output.view)
    _write_images(images, files, request.columns)
    return SampleResult(output.folder / GRID, files, None, None, request.labels)


def _sample_label_maps(loaded: LoadedModel, request: MapRequest, seed: int, output: _Output) -> SampleResult:
    files = [output.folder / f"{i:05d}_{name}.png" for i, name in enumerate(request.names)]
    if not output.overwrite:
        _refuse_existing([output.folder / GRID, *files])
    latent = torch.cat([_latent(loaded, seed, i, output.truncation) for i in range(len(files))])
    made = _made(loaded, request.condition, latent, output.truncation, output.view)
    images = _write_images(made, files, math.ceil(math.sqrt(len(files))))
    classes = int(loaded.model.generator.num_map_classes)
    write_png(map_sheet(request, images, classes), output.folder / GRID)
    return SampleResult(output.folder / GRID, files, None)


def _sample_instances(
    loaded: LoadedModel,
    options: InstanceOptions,
    labels: Sequence[int | str] | None,
    num: int,
    seed: int,
    output: _Output,
) -> SampleResult:
    chosen = find_labels(loaded, labels) if labels is not None else []
    latents = partial(_latent, loaded, seed, truncation=output.truncation)
    request, photos = instance_request(loaded, options, num, chosen, seed, latents)
    label = request.condition.label
    assigned = None if label is None else label.tolist()
    names = [_file_name(i, assigned, loaded.record.classes).removesuffix(".png") for i in range(len(request))]
    files = [output.folder / f"{name}_{own}.png" for name, own in zip(names, request.names, strict=True)]
    near = output.folder / NEAREST if options.nearest else None
    if not output.overwrite:
        _refuse_existing([output.folder / GRID, *files, *([near] if near else [])])
    made = _made(loaded, request.condition, request.latent, output.truncation, output.view)
    images = _write_images(made, files, request.columns or math.ceil(math.sqrt(len(request))))
    if near is not None:
        side = max(images.shape[2:])
        squares = torch.nn.functional.interpolate(images, size=(side, side))
        write_png(nearest_picture(loaded, options, request, photos, squares), near)
    return SampleResult(output.folder / GRID, files, assigned, near)


def _write_images(batches: Iterable[Tensor], files: Sequence[Path], columns: int) -> Tensor:
    """Write images (n, 3, H, W) as they come, then the sheet; return them in the sheet's size."""
    small: list[Tensor] = []
    for images in batches:
        for image, file in zip(images, files[len(small) :], strict=False):
            write_png(tile(image[None], 1), file)
        small += list(shrunk(images).split(1))
    sheet = torch.cat(small)
    write_png(contact_sheet(_padded(sheet, columns), columns), files[0].parent / GRID)
    return sheet


def find_labels(loaded: LoadedModel, wanted: Sequence[int | str] | None) -> list[int]:
    """Return class numbers for numbers or names; by default those the generator was trained for.

    Raises:
        ValueError: an unknown name, a number out of range, or a model without labels.
    """
    count = int(getattr(loaded.model.generator, "num_classes", 0) or 0)
    if wanted is None:
        drawn = loaded.condition_sampler.sample(PROBES, make_generator("classes of a sampler")).label
        return [] if drawn is None or not count else drawn.unique().tolist()
    if not count:
        raise ValueError(f"{loaded.name} has no classes, so that labels cannot be chosen")
    return [_find_label(label, count, loaded) for label in wanted]


def _find_label(label: int | str, count: int, loaded: LoadedModel) -> int:
    text, classes = str(label), loaded.record.classes
    names = [] if classes is None else list(classes)
    if isinstance(label, str):
        folded = [name.casefold() for name in names]
        matches = [i for i in range(len(names)) if text == names[i]]
        matches = matches or [i for i in range(len(names)) if text.casefold() == folded[i]]
        if len(matches) == 1:
            return matches[0]
    if re.fullmatch(r"-?\d+", text):
        if 0 <= int(text) < count:
            return int(text)
        raise ValueError(f"label {text} is outside 0..{count - 1} of {loaded.name}.{_listed(names)}")
    if len(names) > 50:
        raise ValueError(f"{loaded.name} has no class {text!r}.{nearest(text, names)}")
    raise ValueError(f"{loaded.name} has no class {text!r}.{_listed(names) or f' Give 0 to {count - 1}.'}")


def _listed(names: Sequence[str]) -> str:
    if not names:
        return ""
    listed = ", ".join(f"{number} {name}" for number, name in enumerate(names[:50]))
    return f" Classes: {listed}{', ...' if len(names) > 50 else ''}."


def draw(
    loaded: LoadedModel, num: int, labels: Sequence[int] | None, seed: int, truncation: float | None
) -> Tensor:
    """Return ``num`` images (num, 3, H, W) in [-1, 1]."""
    return generate(loaded, *_drawn(loaded, num, labels, seed, truncation), truncation)


def _drawn(
    loaded: LoadedModel, num: int, labels: Sequence[int] | None, seed: int, truncation: float | None
) -> tuple[Condition, Tensor]:
    """Return the conditions and latents (num, D) of a list of images."""
    label = torch.zeros(num, dtype=torch.int64) if labels is None else torch.tensor(labels)
    latent = torch.cat([_latent(loaded, seed, i, truncation) for i in range(num)])
    return Condition(label=label), latent


def generate(
    loaded: LoadedModel, condition: Condition, latent: Tensor, truncation: float | None = None
) -> Tensor:
    """Return the images (N, 3, H, W) in [-1, 1] of conditions and latents (N, D), batch by batch."""
    return torch.cat(list(_made(loaded, condition, latent, truncation, None)))


def _made(
    loaded: LoadedModel,
    condition: Condition,
    latent: Tensor,
    truncation: float | None,
    view: View | None,
) -> Iterator[Tensor]:
    """Yield images (n, 3, H, W), as many at a time as memory is good for."""
    batch = BATCH if view is None else min(BATCH, view.batch)
    size, window = (None, None) if view is None else (view.size, view.window)
    with progress_bar("Sampling", math.ceil(len(latent) / batch)) as advance:
        for start in range(0, len(latent), batch):
            rows = slice(start, start + batch)
            images = loaded.model.sample(
                condition[rows], latent[rows], truncation=truncation, size=size, window=window
            )
            yield images.cpu()
            advance()


def _latent(loaded: LoadedModel, seed: int, index: int, truncation: float | None) -> Tensor:
    source = make_generator(seed, "sample", index)
    latent = loaded.model.latent_sampler.sample(1, source)
    if truncation is None or not truncates_latent(loaded.model.generator):
        return latent
    return truncate(latent, truncation, source)


def _padded(images: Tensor, columns: int) -> Tensor:
    """Return the images with black ones behind, until they fill rows of ``columns``."""
    missing = -len(images) % columns
    return torch.cat([images, images.new_full((missing, *images.shape[1:]), -1.0)])


def _file_name(index: int, labels: Sequence[int] | None, classes: Sequence[str] | None) -> str:
    if labels is None:
        return f"{index:05d}.png"
    name = str(labels[index])
    if classes is not None and classes[labels[index]] != name:
        name = f"{name}-{classes[labels[index]]}"
    return f"{index:05d}_{re.sub(r'[^A-Za-z0-9.-]+', '-', name)}.png"


def _refuse_existing(files: Sequence[Path]) -> None:
    found = [file for file in files if file.exists()]
    if found:
        raise FileExistsError(
            f"{found[0]} exists ({len(found)} of {len(files)} files do); "
            "choose another --out or give --overwrite"
        )
