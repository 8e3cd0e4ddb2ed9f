"""What ``mmcgan sample`` does with an instance-conditioned model."""

from __future__ import annotations

import math
from array import array
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from mmcgan.apis.drawing import Draw, Plan
from mmcgan.apis.instance_grids import (
    GRIDS,
    Instances,
    interpolated,
    over_classes,
    over_latents,
    short_names,
)
from mmcgan.apis.instances import (
    Photos,
    build_extractor,
    closest,
    find_photos,
    looked_among,
    read_photos,
    training_images,
)
from mmcgan.apis.labels import numbered
from mmcgan.apis.writing import SHEET_IMAGES, Shown
from mmcgan.datasets.decode import ImageReader
from mmcgan.pictures import contact_sheet, from_levels
from mmcgan.samplers.drawing import INSTANCE, draw_conditions
from mmcgan.structures import Condition
from mmcgan.zoo.models import LoadedModel

# generated images of one instance that are shown beside its closest ones
SHOWN = 6


@dataclass(frozen=True)
class InstanceOptions:
    """How an instance-conditioned model is asked.

    Attributes:
        photos: image files and folders of images to condition on; empty draws instances instead.
        grid: ``latents`` (instance x latent), ``classes`` (instance x class), ``interpolate`` (between two
            instances x between two latents), or None: instances in turn.
        columns: latents, or steps of an interpolation, of a grid.
        nearest: closest images to show beside the samples; 0 for none.
        extractor: as ``--extractor`` of ``mmcgan prepare-instances``; None takes the recorded one.

    Raises:
        ValueError: an unknown grid or a number out of range.
    """

    photos: Sequence[str] = ()
    grid: str | None = None
    columns: int = 8
    nearest: int = 0
    extractor: str | None = None

    def __post_init__(self) -> None:
        if self.grid is not None and self.grid not in GRIDS:
            raise ValueError(f"--grid {self.grid}: choose one of {', '.join(GRIDS)}")
        if self.columns < 1:
            raise ValueError(f"--columns must be at least 1, got {self.columns}")
        if self.nearest < 0:
            raise ValueError(f"--nearest must be at least 1, got {self.nearest}")

    @property
    def used(self) -> bool:
        """Whether anything is asked for."""
        return bool(self.photos or self.grid or self.nearest or self.extractor)


def check_options(loaded: LoadedModel, options: InstanceOptions | Tensor | None) -> None:
    """Refuse what is for instance-conditioned models only.

    Raises:
        ValueError: the model is of another kind.
    """
    wanted = options.used if isinstance(options, InstanceOptions) else options is not None
    if wanted and "instance" not in loaded.requires:
        raise ValueError(
            f"{loaded.name} is not conditioned on instances: --instances, --grid, --nearest and --extractor "
            "are for IC-GAN models"
        )


@dataclass(frozen=True)
class InstancePlan:
    """A plan, and which instance each of its images belongs to.

    Attributes:
        plan: what to generate.
        count: number of instances.
        owner: row -> number of its instance.
        feature: numbers -> features of these instances, (n, F).
        photos: the conditioning images, if there are any that samples belong to.
        nearest: closest images to show beside the samples.
        real: the images that they are of; None if none are to be shown.
    """

    plan: Plan
    count: int
    owner: Callable[[int], int]
    feature: Callable[[Sequence[int]], Tensor]
    photos: Photos | None = None
    nearest: int = 0
    real: Any = None

    def rows_of(self, instances: int) -> list[list[int]]:
        """Return the first rows, up to ``SHOWN``, of each of the first ``instances`` instances."""
        found: list[list[int]] = [[] for _ in range(min(instances, self.count))]
        for row in range(self.plan.size):
            if self.owner(row) < len(found) and len(found[self.owner(row)]) < SHOWN:
                found[self.owner(row)].append(row)
        return found


def instance_plan(draw: Draw, options: InstanceOptions, num: int, labels: Sequence[int]) -> InstancePlan:
    """Return what to generate.

    Args:
        draw: the model; its seed is that of drawn instances too.
        options: photos and grid.
        num: number of images of a list.
        labels: asked for; empty takes those that come with drawn instances.

    Raises:
        FileNotFoundError: a photo, the extractor, or the store is not there.
        ValueError: a class-conditional model, photos and no labels; a grid that cannot be made; or closest
            images that cannot be found.
    """
    nearest = options.nearest
    real = training_images(draw.loaded, nearest) if nearest else None
    if options.photos:
        _require_labels(draw.loaded, labels)
        paths = find_photos(options.photos)
        photos = read_photos(draw.loaded, paths, build_extractor(draw.loaded, options.extractor))
        instances = Instances(photos.feature, short_names([path.stem for path in paths]))
        if options.grid is None:
            found = given_plan(draw, instances, num, labels)
        else:
            found = _grid_plan(draw, instances, options, labels)
        # between photos nothing is of a photo
        kept = None if options.grid == "interpolate" else photos
        return replace(found, photos=kept, nearest=nearest, real=real)
    if options.grid is None:
        found = drawn_plan(draw, num, labels)
    else:
        drawn = _drawn(draw, range(_number_drawn(options, num, labels)))
        found = _grid_plan(draw, drawn, options, labels)
    return replace(found, nearest=nearest, real=real)


def given_plan(draw: Draw, instances: Instances, num: int, labels: Sequence[int]) -> InstancePlan:
    """Return the plan of ``num`` images of given instances, in turn, and of labels in turn.

    Raises:
        ValueError: a class-conditional model and no labels.
    """
    _require_labels(draw.loaded, labels)
    count = len(instances)

    def batch(rows: range) -> tuple[Condition, Tensor]:
        turn = torch.tensor(rows)
        label = torch.tensor(labels)[turn % len(labels)] if labels else None
        return Condition(label=label, instance=instances.feature[turn % count]), draw.latents(rows)

    def name(row: int) -> str:
        return f"{_numbered(draw, row, labels)}_{instances.names[row % count]}"

    plan = Plan(num, math.ceil(math.sqrt(num)), batch, name, _in_turn(labels))
    return InstancePlan(
        plan, min(count, num), lambda row: row % count, lambda rows: instances.feature[list(rows)]
    )


def drawn_plan(draw: Draw, num: int, labels: Sequence[int]) -> InstancePlan:
    """Return the plan of ``num`` images of instances drawn as in training, one each.

    Args:
        draw: the model and the seed.
        num: number of images.
        labels: in turn; empty takes those that come with the instances.

    Raises:
        ValueError: the model's sampler draws no instances.
    """
    came = array("q")  # labels that came with the instances, in order

    def batch(rows: range) -> tuple[Condition, Tensor]:
        found = _drawn(draw, rows)
        label = torch.tensor(labels)[torch.tensor(rows) % len(labels)] if labels else found.label
        if label is not None and rows.start == len(came):
            came.extend(label.tolist())
        return Condition(label=label, instance=found.feature), draw.latents(rows)

    labelled = bool(labels) or _drawn(draw, range(1)).label is not None

    def name(row: int) -> str:
        return f"{numbered(row, came[row] if labelled else None, draw.loaded.record.classes)}_drawn{row}"

    plan = Plan(num, math.ceil(math.sqrt(num)), batch, name, (lambda row: came[row]) if labelled else None)
    return InstancePlan(plan, num, lambda row: row, lambda rows: _drawn(draw, rows).feature)


def _grid_plan(
    draw: Draw, instances: Instances, options: InstanceOptions, labels: Sequence[int]
) -> InstancePlan:
    """Return the plan of a grid, which is small enough to be drawn at once."""

    def latent(number: int) -> Tensor:
        return draw.latents([number])

    if options.grid == "latents":
        request = over_latents(instances, labels, options.columns, latent)
    elif options.grid == "classes":
        request = over_classes(instances, labels or all_labels(draw.loaded), latent)
    else:
        request = interpolated(instances, labels, options.columns, latent)
    condition, chosen = request.condition, request.condition.label
    assert condition.instance is not None
    feature, first = condition.instance, {row: at for at, row in reversed(list(enumerate(request.rows)))}
    own = None if chosen is None else chosen.tolist()

    def name(row: int) -> str:
        return f"{numbered(row, own[row] if own else None, draw.loaded.record.classes)}_{request.names[row]}"

    plan = Plan(
        len(request),
        request.columns,
        lambda rows: (condition[rows.start : rows.stop], request.latent[rows.start : rows.stop]),
        name,
        own.__getitem__ if own else None,
    )
    return InstancePlan(
        plan,
        len(first),
        request.rows.__getitem__,
        lambda rows: feature[[first[row] for row in rows]],
    )


def _in_turn(labels: Sequence[int]) -> Callable[[int], int] | None:
    return (lambda row: labels[row % len(labels)]) if labels else None


def _numbered(draw: Draw, row: int, labels: Sequence[int]) -> str:
    return numbered(row, labels[row % len(labels)] if labels else None, draw.loaded.record.classes)


def all_labels(loaded: LoadedModel) -> list[int]:
    """Return the numbers of all classes; none for a model without."""
    return list(range(loaded.model.generator.num_classes))


def _require_labels(loaded: LoadedModel, labels: Sequence[int]) -> None:
    if "label" in loaded.requires and not labels:
        classes = loaded.record.classes
        named = f"{len(all_labels(loaded))} classes" if classes is None else ", ".join(classes[:50])
        raise ValueError(f"{loaded.name} is class-conditional: say with --labels what to show ({named})")


def _number_drawn(options: InstanceOptions, num: int, labels: Sequence[int]) -> int:
    """Return how many instances to draw; a grid has rows, for about ``num`` images."""
    if options.grid == "interpolate":
        return 2
    per_row = {"latents": options.columns, "classes": max(len(labels), 1)}.get(options.grid or "", 1)
    return max(1, num // per_row)


def _drawn(draw: Draw, numbers: Sequence[int]) -> Instances:
    """Return instances as training draws them; each depends on the seed and its number alone."""
    loaded = draw.loaded
    asked = draw_conditions(loaded.condition_sampler, draw.seed, numbers, INSTANCE)
    if asked.instance is None:
        raise ValueError(f"{loaded.name}: its condition sampler draws no instances; give --instances")
    label = asked.label if "label" in loaded.requires else None
    return Instances(asked.instance, [f"drawn{number}" for number in numbers], label)


def shown_instances(nearest: int) -> int:
    """Return how many instances a sheet of closest images has room for."""
    return max(1, SHEET_IMAGES // (1 + 2 * nearest + SHOWN))


def nearest_picture(
    loaded: LoadedModel, asked: InstancePlan, rows: list[list[int]], shown: Shown
) -> np.ndarray:
    """Return a picture with a row per instance: photo, closest stored, closest training images, samples.

    Args:
        loaded: the model.
        asked: what was generated; without photos, an instance's own image is shown in their place.
        rows: of :meth:`InstancePlan.rows_of`, for the first instances.
        shown: their images.

    """
    data, store = asked.real, loaded.store
    assert store is not None  # instance_plan has looked
    feature = asked.feature(range(len(rows)))
    columns = [closest(store, feature, asked.nearest, among) for among in looked_among(store)]
    found = torch.cat(columns, dim=1)
    near = from_levels(data.__getitems__(found.flatten().tolist())["image"]).unflatten(0, found.shape)
    made = _samples_of(rows, shown, near.shape[-2:])
    if asked.photos is None:
        own = from_levels(data.__getitems__(closest(store, feature, 1)[:, 0].tolist())["image"])
    else:
        reader = ImageReader(near.shape[-1])
        own = from_levels(torch.stack([reader(path) for path in asked.photos.paths[: len(rows)]]))
    pictures = torch.cat([own[:, None], near, made], dim=1)
    return contact_sheet(pictures.flatten(0, 1), pictures.shape[1])


def has_photo_rows(asked: InstancePlan, shown: Shown) -> bool:
    """Return whether each row of the sheet is of one photo, those of all photos in order."""
    if asked.photos is None or shown.columns != asked.plan.columns:
        return False
    return all(asked.owner(row) == row // shown.columns for row in range(shown.count))


def photo_sheet(asked: InstancePlan, shown: Shown) -> np.ndarray:
    """Return the sheet of a grid, see :func:`has_photo_rows`, each row with its photo first."""
    assert asked.photos is not None
    samples = shown.first().unflatten(0, (-1, shown.columns))
    reader = ImageReader(samples.shape[-1])
    own = from_levels(torch.stack([reader(path) for path in asked.photos.paths[: len(samples)]]))
    own = torch.nn.functional.interpolate(own, size=samples.shape[-2:])
    return contact_sheet(torch.cat([own[:, None], samples], dim=1).flatten(0, 1), 1 + shown.columns)


def _samples_of(rows: list[list[int]], shown: Shown, size: Sequence[int]) -> Tensor:
    """Return generated images by instance (M, n, 3, H, W) of a size, black where an instance has fewer."""
    made = torch.full((len(rows), max(map(len, rows)), 3, *size), -1.0)
    for number, chosen in enumerate(rows):
        made[number, : len(chosen)] = torch.nn.functional.interpolate(shown.rows(chosen), size=tuple(size))
    return made
