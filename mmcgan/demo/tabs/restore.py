"""Restore: a brushed-out region is filled, a grey photo coloured, a small one enlarged; it can be stopped."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from mmcgan.datasets.decode import image_size, read_rgb
from mmcgan.demo.commands import command
from mmcgan.demo.form import Form, real, uploaded, whole, without_places
from mmcgan.demo.studio import Model, Studio
from mmcgan.pictures import write_png
from mmcgan.restoration.options import RestoreOptions
from mmcgan.restoration.prior import check_restores, prior_of
from mmcgan.restoration.workflow import restore
from mmcgan.zoo.locate import find_weights
from mmcgan.zoo.models import LoadedModel

KEY, TITLE = "restore", "Restore"
LEAST_MODELS = 1
#: what is shown -> the task of ``mmcgan restore``
TASKS = {"fill what I brush": "inpaint", "give colours": "colorize", "enlarge": "sr"}
#: longest side of the picture that is brushed
CANVAS = 512
BRUSH = "#ff00ff"
LEAST_SHARE, MOST_CANDIDATES = 0.01, 500


def can(loaded: LoadedModel) -> bool:
    """Return whether a latent and the blocks of the generator can be tuned to a photo."""
    try:
        check_restores(loaded)
    except ValueError:
        return False
    return True


@dataclass(frozen=True)
class Asked:
    """What is to be done to a photo.

    Attributes:
        file: the photo.
        task: of ``mmcgan restore``.
        degraded: whether the photo is damaged already; otherwise it is damaged first and compared.
        share: of the iterations.
        candidates: latents to choose from.
        seed: of the candidates.
    """

    file: Path
    task: str
    degraded: bool
    share: float
    candidates: int
    seed: int


def for_brushing(studio: Studio, photo: Any) -> Any:
    """Return an uploaded photo as it is put under the brush, uint8 (CANVAS, CANVAS, 3), or None.

    It stands in the middle of a grey square, so that the canvas never changes its size.

    Raises:
        ValueError: it is too large or no picture.
    """
    if photo is None:
        return None
    image = read_rgb(uploaded(studio, photo, "photo"), CANVAS)
    left, top, width, height = on_canvas(image.size)
    canvas = Image.new("RGB", (CANVAS, CANVAS), (128, 128, 128))
    canvas.paste(image.resize((width, height), Image.Resampling.BICUBIC), (left, top))
    return np.asarray(canvas)


def on_canvas(size: tuple[int, int]) -> tuple[int, int, int, int]:
    """Return left, top, width and height on the canvas of a photo of a size (width, height)."""
    width, height = (max(1, round(side * CANVAS / max(size))) for side in size)
    return (CANVAS - width) // 2, (CANVAS - height) // 2, width, height


def mask_of(drawing: Any, photo: Path, out: Path) -> Path:
    """Write what was brushed as a picture of the photo's size, white where it was, and return the file.

    Raises:
        ValueError: nothing was brushed.
    """
    layers = drawing.get("layers") if isinstance(drawing, dict) else None
    marks = [
        layer[..., 3] > 32 for layer in layers or [] if isinstance(layer, np.ndarray) and layer.ndim == 3
    ]
    if not marks or not any(mark.any() for mark in marks):
        raise ValueError("brush over the part that is to be filled")
    brushed = np.logical_or.reduce([mark for mark in marks if mark.shape == marks[0].shape])
    size = image_size(photo)
    left, top, width, height = on_canvas(size)
    canvas = Image.fromarray(np.where(brushed, 255, 0).astype(np.uint8)).resize((CANVAS, CANVAS))
    cut = canvas.crop((left, top, left + width, top + height))
    write_png(np.asarray(cut.resize(size, Image.Resampling.NEAREST)), out)
    return out


def make(studio: Studio, model: Model, *values: Any) -> tuple[str, str, str | None, str]:
    """Return the result, the way there, the mask (None without) and the command.

    Raises:
        ValueError: a photo that cannot be read, or nothing brushed.
    """
    photo, kind, drawing, degraded, share, candidates, seed = values
    if kind not in TASKS:
        raise ValueError(f"no task {kind!r}: {', '.join(TASKS)}")
    asked = Asked(
        uploaded(studio, photo, "photo"),
        TASKS[kind],
        bool(degraded),
        real(share, "share", LEAST_SHARE, 1),
        whole(candidates, "candidates", 1, MOST_CANDIDATES),
        whole(seed, "seed"),
    )
    folder = studio.new_folder()
    mask = mask_of(drawing, asked.file, folder / "mask.png") if asked.task == "inpaint" else None
    options = RestoreOptions(
        degraded=asked.degraded,
        seed=asked.seed,
        candidates=asked.candidates,
        share=asked.share,
        mask=mask,
    )
    prior = prior_of(model.loaded, find_weights(model.source))
    (result,) = restore(prior, [asked.file], asked.task, out=folder / "restored", options=options)
    return str(result.picture), str(result.sheet), None if mask is None else str(mask), _line(model, asked)


def _line(model: Model, asked: Asked) -> str:
    return command(
        "restore",
        asked.file.name,
        task=asked.task,
        model=model.source,
        mask="mask.png" if asked.task == "inpaint" else None,
        degraded=asked.degraded,
        share=asked.share,
        candidates=asked.candidates,
        seed=asked.seed,
        out="restored",
    )


def build(form: Form) -> None:
    """Add the parts of the tab."""
    gr, studio = form.gr, form.studio
    with gr.Row():
        with gr.Column(scale=1):
            model = form.model()
            photo = form.photo("Photo")
            kind = gr.Radio(list(TASKS), value=next(iter(TASKS)), label="Task", elem_id=form.name("kind"))
            drawing = form.board(
                "Brush over what is to be filled",
                brush=gr.Brush(default_size=40, colors=[BRUSH], default_color=BRUSH, color_mode="fixed"),
                canvas_size=(CANVAS, CANVAS),
                fixed_canvas=True,
            )
            degraded = gr.Checkbox(
                True, label="The photo is damaged already", info="off: it is damaged first, and compared"
            )
            share = gr.Slider(
                LEAST_SHARE, 1, 0.1, step=0.01, label="Share of the iterations", elem_id=form.name("share")
            )
            candidates = gr.Slider(1, MOST_CANDIDATES, 64, step=1, label="Latents to choose from")
            seed = form.seed()
        with gr.Column(scale=1):
            picture = form.picture("Restored", height=420)
            sheet = form.picture("What was given, the way there, what came out", "sheet", 160)
            mask = gr.File(label="The mask, for the command", interactive=False, height=80)

    def show(file: Any) -> Any:
        try:
            return for_brushing(studio, file)
        except (ValueError, OSError) as error:
            raise gr.Error(without_places(str(error), [str(file)]), print_exception=False) from error

    photo.change(show, photo, drawing, queue=False, api_name=False)
    form.finish(
        [model, photo, kind, drawing, degraded, share, candidates, seed],
        [picture, sheet, mask],
        lambda chosen, *values: make(studio, chosen, *values),
        "Restore",
    )
