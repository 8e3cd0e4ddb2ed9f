"""Sample: images of classes or attributes by seed, the same as those of ``mmcgan sample``."""

from __future__ import annotations

import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mmcgan.apis.label_map_sampling import held_out_maps
from mmcgan.apis.sampling import sample
from mmcgan.demo.commands import command
from mmcgan.demo.form import Form, asked_for, in_command, real, whole
from mmcgan.demo.studio import Model, Studio
from mmcgan.zoo.models import LoadedModel

KEY, TITLE = "sample", "Sample"
LEAST_MODELS = 1


def can(loaded: LoadedModel) -> bool:
    """Return whether a seed is enough: not where label maps are needed and no data has them."""
    if "label_map" not in loaded.requires:
        return True
    try:
        held_out_maps(loaded)
    except (ValueError, OSError):
        return False
    return True


def make(
    studio: Studio,
    model: Model,
    shown: Sequence[str] | None,
    num: Any,
    seed: Any,
    truncation: Any,
    latent_scale: Any,
) -> tuple[str, str, str]:
    """Return the picture of all, an archive of each, and the command.

    Raises:
        ValueError: too many images, an unknown class, or a truncation that the model does not have.
    """
    count = studio.limits.check_count(whole(num, "images", 1), model.size)
    seed = whole(seed, "seed")
    narrow = real(truncation, "truncation", 0, 4) or None
    wide = real(latent_scale, "width of latents", 0, 4) or None
    asked, folder = asked_for(model, shown), studio.new_folder()
    settings = {"num": count, "seed": seed, "truncation": narrow, "latent_scale": wide}
    result = sample(model.loaded, **settings, out=folder / "samples", **asked)
    line = command("sample", model.source, **in_command(asked), **settings, out="samples")
    return str(result.grid), str(archive(result.images, folder / "samples.zip")), line


def archive(images: Sequence[Path], path: Path) -> Path:
    """Write files into a zip, as they are, and return it."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as file:
        for image in images:
            file.write(image, image.name)
    return path


def build(form: Form) -> None:
    """Add the parts of the tab."""
    gr = form.gr
    with gr.Row():
        with gr.Column(scale=1):
            model = form.model()
            shown = form.shows(model)
            num = gr.Slider(
                1, form.studio.limits.images, 16, step=1, label="Images", elem_id=form.name("num")
            )
            seed = form.seed()
            truncation = gr.Slider(0, 2, 0, step=0.05, label="Truncation (0: off)")
            width = gr.Slider(
                0, 3, 0, step=0.25, label="Width of latents (0: as the weights say, 1: as in training)"
            )
        with gr.Column(scale=2):
            picture = form.picture("Samples")
            files = gr.File(label="Every image as PNG", interactive=False, height=80)
    form.finish(
        [model, shown, num, seed, truncation, width],
        [picture, files],
        lambda chosen, *values: make(form.studio, chosen, *values),
    )
