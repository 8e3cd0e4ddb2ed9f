"""More like this: an instance-conditioned model answers a photo; beside it the closest training images."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from mmcgan.apis.instance_sampling import InstanceOptions
from mmcgan.apis.instances import training_images
from mmcgan.apis.sampling import sample
from mmcgan.datasets.decode import read_rgb
from mmcgan.demo.commands import command
from mmcgan.demo.form import Form, uploaded, whole, without_places
from mmcgan.demo.studio import Model, Studio
from mmcgan.pictures import write_png
from mmcgan.zoo.models import LoadedModel

KEY, TITLE = "more", "More like this"
LEAST_MODELS = 1
NEAREST, MOST_NEAREST = 5, 16


def can(loaded: LoadedModel) -> bool:
    """Return whether the model is conditioned on instances."""
    return "instance" in loaded.requires


def why_no_neighbours(loaded: LoadedModel, nearest: int) -> str | None:
    """Return why the closest training images cannot be shown; None if they can."""
    try:
        training_images(loaded, nearest)
    except (ValueError, OSError) as error:
        return str(error)
    return None


def make(
    studio: Studio, model: Model, photo: Any, shown: str | None, num: Any, seed: Any, nearest: Any
) -> tuple[str, str, str | None, str, str]:
    """Return the photo, the samples, the closest images (or None and why not) and the command.

    Raises:
        ValueError: a photo that cannot be read, or too many images.
    """
    file = uploaded(studio, photo, "photo")
    count = studio.limits.check_count(whole(num, "images", 1), model.size)
    close = whole(nearest, "closest images", 0, MOST_NEAREST)
    fault = why_no_neighbours(model.loaded, close) if close else None
    labels = [shown] if shown and model.classes else None
    folder, seed = studio.new_folder(), whole(seed, "seed")
    seen = folder / "photo.png"
    write_png(np.asarray(read_rgb(file, 512)), seen)
    options = InstanceOptions([str(file)], nearest=0 if fault else close)
    result = sample(
        model.loaded, labels=labels, num=count, seed=seed, instances=options, out=folder / "samples"
    )
    line = command(
        "sample",
        model.source,
        instances=Path(file).name,
        labels=labels,
        num=count,
        seed=seed,
        nearest=options.nearest or None,
        out="samples",
    )
    note = f"The closest training images cannot be shown here: {without_places(fault)}" if fault else ""
    return str(seen), str(result.grid), None if result.nearest is None else str(result.nearest), note, line


def build(form: Form) -> None:
    """Add the parts of the tab."""
    gr = form.gr
    with gr.Row():
        with gr.Column(scale=1):
            model = form.model()
            photo = form.photo("Photo")
            shown = form.shows(model, many=False)
            num = gr.Slider(1, form.studio.limits.images, 16, step=1, label="Images")
            seed = form.seed()
            nearest = gr.Slider(0, MOST_NEAREST, NEAREST, step=1, label="Closest training images")
        with gr.Column(scale=2):
            with gr.Row():
                seen = form.picture("Photo", "seen", 200)
                picture = form.picture("More like it", height=360)
            near = form.picture("Photo, closest training images, samples", "near", 160)
            note = gr.Markdown()
    form.finish(
        [model, photo, shown, num, seed, nearest],
        [seen, picture, near, note],
        lambda chosen, *values: make(form.studio, chosen, *values),
    )
