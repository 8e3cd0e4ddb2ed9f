"""What ``mmcgan sample`` does with an instance-conditioned model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from mmcgan.apis.instance_grids import (
    GRIDS,
    Instances,
    Latents,
    Request,
    in_turn,
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
    read_photos,
    training_images,
)
from mmcgan.datasets.decode import ImageReader
from mmcgan.pictures import contact_sheet
from mmcgan.random import make_generator
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


def check_options(loaded: LoadedModel, options: InstanceOptions | None) -> None:
    """Refuse what is for instance-conditioned models only.

    Raises:
        ValueError: the model is of another kind.
    """
    if options is not None and options.used and "instance" not in loaded.requires:
        raise ValueError(
            f"{loaded.name} is not conditioned on instances: --instances, --grid, --nearest and --extractor "
            "are for IC-GAN models"
        )


def instance_request(
    loaded: LoadedModel,
    options: InstanceOptions,
    num: int,
    labels: Sequence[int],
    seed: int,
    latents: Latents,
) -> tuple[Request, Photos | None]:
    """Return what to generate, and the photos that it is conditioned on, if there are any.

    Args:
        loaded: the model.
        options: photos and grid.
        num: number of images of a list.
        labels: asked for; empty takes those that come with drawn instances.
        seed: of drawn instances.
        latents: gives the latent of image i.

    Raises:
        FileNotFoundError: a photo, the extractor, or the store is not there.
        ValueError: a class-conditional model, photos and no labels; or a grid that cannot be made.
    """
    photos = None
    if options.photos:
        _require_labels(loaded, labels)
        paths = find_photos(options.photos)
        photos = read_photos(loaded, paths, build_extractor(loaded, options.extractor))
        instances = Instances(photos.feature, short_names([path.stem for path in paths]))
    else:
        instances = _drawn(loaded, _number_drawn(options, num, labels), seed)
    if options.grid == "latents":
        return over_latents(instances, labels, options.columns, latents), photos
    if options.grid == "classes":
        return over_classes(instances, labels or all_labels(loaded), latents), photos
    if options.grid == "interpolate":
        return interpolated(instances, labels, options.columns, latents), photos
    return in_turn(instances, labels, num, latents), photos


def all_labels(loaded: LoadedModel) -> list[int]:
    """Return the numbers of all classes; none for a model without."""
    return list(range(int(getattr(loaded.model.generator, "num_classes", 0) or 0)))


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


def _drawn(loaded: LoadedModel, number: int, seed: int) -> Instances:
    """Return instances as training draws them; the i-th depends on the seed and i alone."""
    asked = Condition.cat(
        [
            loaded.condition_sampler.sample(1, make_generator(seed, "sample condition", index))
            for index in range(number)
        ]
    )
    if asked.instance is None:
        raise ValueError(f"{loaded.name}: its condition sampler draws no instances; give --instances")
    label = asked.label if "label" in loaded.requires else None
    return Instances(asked.instance, [f"drawn{i}" for i in range(number)], label)


def nearest_picture(
    loaded: LoadedModel,
    options: InstanceOptions,
    request: Request,
    photos: Photos | None,
    images: Tensor,
) -> np.ndarray:
    """Return a picture with a row per instance: photo, closest stored, closest training images, samples.

    Args:
        loaded: the model.
        options: ``nearest``.
        request: what was generated.
        photos: the conditioning images; None for drawn instances, whose own image is shown.
        images: generated, (N, 3, H, W) in [-1, 1].

    Raises:
        ValueError: the model does not say which images it was trained with, or there are too few.
        FileNotFoundError, StoreError: the images or the store are not there or do not fit.
    """
    data, store = training_images(loaded), loaded.store
    assert store is not None  # training_images has looked
    first = [request.rows.index(row) for row in sorted(set(request.rows))]
    assert request.condition.instance is not None
    feature = request.condition.instance[torch.tensor(first)]
    columns = []
    if "selected.npy" in store.metadata.get("files", {}):
        columns.append(closest(store, feature, options.nearest, store.selected()))
    columns.append(closest(store, feature, options.nearest))
    found = torch.cat(columns, dim=1)
    near = _to_float(data.__getitems__(found.flatten().tolist())["image"]).unflatten(0, found.shape)
    if photos is None or options.grid == "interpolate":
        own = _to_float(data.__getitems__(closest(store, feature, 1)[:, 0].tolist())["image"])
    else:
        reader = ImageReader(images.shape[-1])
        own = _to_float(torch.stack([reader(path) for path in photos.paths[: len(first)]]))
    made = _samples_of(request, images)
    rows = torch.cat([own[:, None], near, made], dim=1)
    return contact_sheet(rows.flatten(0, 1), rows.shape[1])


def _samples_of(request: Request, images: Tensor) -> Tensor:
    """Return generated images by instance (M, n, 3, H, W), black where an instance has fewer."""
    rows = sorted(set(request.rows))
    own = [[i for i, row in enumerate(request.rows) if row == wanted][:SHOWN] for wanted in rows]
    made = images.new_full((len(rows), max(map(len, own)), *images.shape[1:]), -1.0)
    for number, chosen in enumerate(own):
        made[number, : len(chosen)] = images[chosen]
    return made


def _to_float(image: Tensor) -> Tensor:
    return image.float() / 127.5 - 1
