"""Explore: the directions of the latent that change an image most (SeFa), a slider each."""

from __future__ import annotations

from typing import Any

from mmcgan.analysis import move, sefa_directions
from mmcgan.apis.drawing import Draw
from mmcgan.apis.interpolation import first_image, sefa
from mmcgan.condition_fields import condition_field
from mmcgan.demo.commands import command
from mmcgan.demo.form import Form, asked_for, in_command, real, whole
from mmcgan.demo.studio import Model, Studio
from mmcgan.pictures import contact_sheet, write_png
from mmcgan.zoo.models import LoadedModel

KEY, TITLE = "explore", "Explore"
LEAST_MODELS = 1
DIRECTIONS, FURTHEST = 5, 6.0
STRENGTHS = (-3.0, -2.0, -1.0, 0.0, 1.0, 2.0, 3.0)


def can(loaded: LoadedModel) -> bool:
    """Return whether the map that meets the latent first is known."""
    if not all(condition_field(name).interpolates for name in loaded.requires):
        return False  # maps of single images, which the form cannot choose
    try:
        sefa_directions(loaded.model.generator, DIRECTIONS)
    except ValueError:
        return False
    return True


def make(studio: Studio, model: Model, shown: str | None, seed: Any, *strengths: Any) -> tuple[str, str, str]:
    """Return the image moved along all directions, a sheet of each direction alone, and the command.

    Raises:
        ValueError: an unknown class or attribute, or a strength out of range.
    """
    far = [real(value, "a strength", -FURTHEST, FURTHEST) for value in strengths]
    seed = whole(seed, "seed")
    studio.limits.check_count(DIRECTIONS * len(STRENGTHS), model.size)
    asked = asked_for(model, [shown] if shown else None)
    if "labels" in asked:
        (asked["label"],) = asked.pop("labels")
    latent, condition = first_image(Draw(model.loaded, seed), **asked)
    network, folder = model.loaded.model.generator, studio.new_folder()
    image = move(network, latent, condition, sefa_directions(network, len(far)), far)
    write_png(contact_sheet(image.float().clamp(-1, 1).cpu(), 1), folder / "moved.png")
    sheet = sefa(
        model.loaded,
        directions=DIRECTIONS,
        strengths=STRENGTHS,
        **asked,
        seed=seed,
        out=folder / "sefa.png",
    )
    chosen = in_command(asked)
    line = command("sefa", model.source, directions=DIRECTIONS, **chosen, seed=seed, out="sefa.png")
    return str(folder / "moved.png"), str(sheet), line


def build(form: Form) -> None:
    """Add the parts of the tab."""
    gr = form.gr
    with gr.Row():
        with gr.Column(scale=1):
            model, shown, seed = form.model_shows_seed()
            sliders = [
                gr.Slider(-FURTHEST, FURTHEST, 0, step=0.1, label=f"Direction {number}")
                for number in range(1, DIRECTIONS + 1)
            ]
        with gr.Column(scale=2):
            picture = form.picture("All directions together", height=300)
            sheet = form.picture("Each alone, from -3 to 3 (this is what the command draws)", "sheet", 420)
    button = form.finish(
        [model, shown, seed, *sliders],
        [picture, sheet],
        lambda chosen, *values: make(form.studio, chosen, *values),
    )
    del button
