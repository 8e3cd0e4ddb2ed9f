"""Sample images from a trained generator and write them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import Tensor

from mmcgan.apis.attribute_sampling import DEFAULT_NUM
from mmcgan.apis.drawing import Draw, Plan, Rows, all_images, render
from mmcgan.apis.given_conditions import Given, given_conditions
from mmcgan.apis.instance_sampling import (
    InstanceOptions,
    InstancePlan,
    has_photo_rows,
    nearest_picture,
    photo_sheet,
    shown_instances,
)
from mmcgan.apis.label_map_sampling import map_sheet
from mmcgan.apis.labels import label_plan
from mmcgan.apis.latent_moves import attach_move
from mmcgan.apis.planning import Asked, Planned, planned
from mmcgan.apis.views import View, checked_view
from mmcgan.apis.writing import GRID, NEAREST, Shown, refuse_existing, refuse_others, sheet_of, write_images
from mmcgan.models.sampling import set_truncation_centre
from mmcgan.output_paths import check_output_folder
from mmcgan.pictures import write_png
from mmcgan.samplers.moves import LatentMove
from mmcgan.zoo.models import LoadedModel, given_model


@dataclass(frozen=True)
class SampleResult:
    """What was written.

    Attributes:
        folder: of the samples, and of nothing else.
        grid: one picture of the images, a column per label, beside the folder.
        images: one file per image, in the folder.
        labels: the label of each image; None for a model without labels.
        nearest: the instances and their closest images beside what was made of them; None if not asked for.
        attributes: those of each image, such as ``digit=3 domain=textured``; None for a model without.
        shown: how many of the images are on ``grid``.

    Examples:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     found = sample("omnigan_biggan_digits-16", labels=[3, 5], num=4, out=f"{folder}/digits")
        ...     [path.name for path in found.images]
        ['00000_3.png', '00001_5.png', '00002_3.png', '00003_5.png']
    """

    folder: Path
    grid: Path
    images: Sequence[Path]
    labels: Sequence[int] | None
    nearest: Path | None = None
    attributes: Sequence[str] | None = None
    shown: int = 0


def sample(
    source: str | Path | LoadedModel,
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
    codes: Mapping[str, Sequence[float | None]] | None = None,
    centre: str | None = None,
    conditions: Given | None = None,
    latent_scale: float | None = None,
) -> SampleResult:
    """Sample ``num`` images, write each as PNG to ``out``, and a sheet of them as ``out.grid.png`` beside it.

    Image i depends on the seed, its condition and i alone, and is the one that every other route makes of
    them. Memory does not grow with ``num``: the sheet shows the first 400 images at most, large ones small.

    Args:
        source, checkpoint, options: see :func:`mmcgan.apis.load_model`; or a model that is loaded already.
        labels: class numbers or names, taken in turn; by default every class in turn.
        num: number of images in all; by default 16, or one of each combination of attributes.
        seed: of the latents.
        truncation: see :class:`~mmcgan.apis.drawing.Draw`.
        out: folder to write to; samples alone stand in it, sheets beside it.
        overwrite: replace files that are there.
        instances: photos to condition on, grids, closest images; by default drawn as in training. In a grid
            with a row a photo, the sheet shows the photo before its samples.
        move: how the discriminator moves the latents; needs the ``.pth`` checkpoint of a run.
        view: size of the images and the part to render, for a generator with an implicit output layer.
        attributes: group -> name or names; exclusive groups that are left out go through all of theirs.
        label_maps: pictures of class ids, or folders of them, to paint; by default those of the data that was
            held out from training. The sheet then shows label map, real image and sample side by side.
        codes: values of the latents' codes by name (InfoGAN); None among them for one as it is drawn.
        centre: what truncation moves styles towards: ``mean``, or ``class`` for the class's mean.
        conditions: field -> rows (K, ...) or a ``.npy`` file of them, in turn; others are drawn.
        latent_scale: how wide latents are, 1 as in training; by default as the weights say (see
            :class:`~mmcgan.samplers.scaled.ScaledLatent`).

    Raises:
        FileExistsError: something is there and ``overwrite`` is off; nothing is written.
        FileNotFoundError: a photo, the extractor, the store of instances or a label map is not there.
        ValueError: something asked for does not fit the model; an unreadable photo; another extractor.
    """
    _check_num(num)
    loaded = given_model(source, checkpoint, options)
    _prepare(loaded, source if checkpoint is None else checkpoint, move, centre)
    if latent_scale is not None:
        loaded = loaded.with_latent_scale(latent_scale)
    draw = Draw(loaded, seed, truncation, codes, given_conditions(loaded, conditions))
    asked = Asked(labels, attributes, instances, label_maps)
    return _output(draw, Path(out), overwrite, view).write(planned(draw, asked, num, DEFAULT_NUM))


def _check_num(num: int | None) -> None:
    if num is not None and num < 1:
        raise ValueError(f"num must be at least 1, got {num}")


def _prepare(
    loaded: LoadedModel, source: str | Path | LoadedModel, move: LatentMove | None, centre: str | None
) -> None:
    """Attach what moves the latents, and choose what truncation moves styles towards."""
    if move is not None:
        attach_move(loaded, move, _file_of(source))
    if centre is not None:
        set_truncation_centre(loaded.model.generator, centre, loaded.name)


def _file_of(source: str | Path | LoadedModel) -> str | Path:
    if isinstance(source, LoadedModel):
        raise ValueError("a rule that moves latents needs the file of the checkpoint, not a loaded model")
    return source


def _output(draw: Draw, folder: Path, overwrite: bool, view: View | None) -> _Output:
    """Return where samples go, once the view, the truncation and the folder are found to be usable."""
    view = checked_view(draw.loaded.model.generator, view, draw.loaded.name)
    draw.check()
    check_output_folder(folder, "--out")
    return _Output(draw, folder, overwrite, view)


@dataclass(frozen=True)
class _Output:
    """Where samples go."""

    draw: Draw
    folder: Path
    overwrite: bool
    view: View | None

    def sheet(self, kind: str) -> Path:
        return sheet_of(self.folder, kind)

    def make(self, plan: Plan, kinds: Sequence[str] = (GRID,), kept: Sequence[int] = ()) -> Shown:
        """Write the samples and return what sheets show of them.

        Raises:
            FileExistsError: something is there and may not be replaced.
        """
        if self.overwrite:
            refuse_others(self.folder, plan)
        else:
            refuse_existing(self.folder, map(self.sheet, kinds))
        return write_images(render(self.draw, plan, self.view), plan, self.folder, kept)

    def result(self, plan: Plan, shown: Shown, nearest: Path | None = None) -> SampleResult:
        return SampleResult(
            self.folder,
            self.sheet(GRID),
            Rows(plan.size, lambda row: self.folder / f"{plan.name(row)}.png"),
            None if plan.label is None else Rows(plan.size, plan.label),
            nearest,
            None if plan.text is None else Rows(plan.size, plan.text),
            shown.count,
        )

    def write(self, found: Planned) -> SampleResult:
        """Write samples and the sheets that suit what they show."""
        if found.instances is not None and found.instances.nearest:
            return self._with_nearest(found.instances)
        shown = self.make(found.plan)
        if found.maps is None and found.instances is not None and has_photo_rows(found.instances, shown):
            write_png(photo_sheet(found.instances, shown), self.sheet(GRID))
        elif found.maps is None:
            shown.write_sheet(self.sheet(GRID))
        else:
            classes = int(self.draw.loaded.model.generator.num_map_classes)
            write_png(map_sheet(found.maps, shown.first(), classes), self.sheet(GRID))
        return self.result(found.plan, shown)

    def _with_nearest(self, asked: InstancePlan) -> SampleResult:
        """Write samples, the sheet of all, and one of instances and their closest images beside them."""
        rows = asked.rows_of(shown_instances(asked.nearest))
        shown = self.make(asked.plan, (GRID, NEAREST), [row for own in rows for row in own])
        shown.write_sheet(self.sheet(GRID))
        near = self.sheet(NEAREST)
        write_png(nearest_picture(self.draw.loaded, asked, rows, shown), near)
        return self.result(asked.plan, shown, near)


def draw(
    loaded: LoadedModel, num: int, labels: Sequence[int] | None, seed: int, truncation: float | None
) -> Tensor:
    """Return the images (num, 3, H, W) in [-1, 1] of labels, one each; None for a model without.

    Raises:
        ValueError: latents that cannot be truncated.
    """
    drawing = Draw(loaded, seed, truncation)
    return all_images(drawing, label_plan(drawing, list(labels or ()), num))
