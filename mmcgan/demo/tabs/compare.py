"""Compare: two models, the same seed and classes, side by side."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mmcgan.apis.drawing import Draw
from mmcgan.apis.planning import Asked, planned
from mmcgan.apis.sampling import sample
from mmcgan.demo.commands import command
from mmcgan.demo.form import Form, asked_for, in_command, whole
from mmcgan.demo.studio import Model, Studio
from mmcgan.demo.tabs.sample import can

__all__ = ["KEY", "LEAST_MODELS", "TITLE", "build", "can", "make"]
KEY, TITLE = "compare", "Compare"
LEAST_MODELS = 2


def make(
    studio: Studio, first: Model, second: str, shown: Sequence[str] | None, num: Any, seed: Any
) -> tuple[str, str, str, str]:
    """Return the pictures of both, what is the same in them, and the commands.

    Raises:
        ValueError: too many images, or a class or attribute that one of them does not have.
    """
    other, seed = studio.model(second), whole(seed, "seed")
    pictures, lines, settings = [], [], {"num": whole(num, "images", 1), "seed": seed}
    asked = [(model, asked_for(model, shown)) for model in (first, other)]
    for model, chosen in asked:  # before the first of them works
        studio.limits.check_count(settings["num"], model.size)
        if chosen:
            planned(Draw(model.loaded, seed), Asked(**chosen), settings["num"])
    for model, chosen in asked:
        result = sample(model.loaded, **settings, **chosen, out=studio.new_folder() / "samples")
        pictures.append(str(result.grid))
        out = f"of-{model.loaded.name}"
        lines.append(command("sample", model.source, **in_command(chosen), **settings, out=out))
    return pictures[0], pictures[1], same(first, other), "\n".join(lines)


def same(first: Model, second: Model) -> str:
    """Return what two pictures of one seed have in common."""
    dims = [int(model.loaded.model.generator.latent_dim) for model in (first, second)]
    laws = [type(model.loaded.model.latent_sampler).__name__ for model in (first, second)]
    if dims[0] == dims[1] and laws[0] == laws[1]:
        return f"Image by image, both are made of the same latents ({dims[0]} values)."
    return (
        f"The seed is the same, the latents are not: {dims[0]} values of {laws[0]} on the left, {dims[1]} of "
        f"{laws[1]} on the right."
    )


def build(form: Form) -> None:
    """Add the parts of the tab."""
    gr = form.gr
    with gr.Row():
        with gr.Column(scale=1):
            first = form.model("Left", "first")
            others = [name for name in form.names if name != form.first.loaded.name] or form.names
            second = form.model("Right", "second", others[0])
            shown = form.shows(first)
            num = gr.Slider(1, form.studio.limits.images, 16, step=1, label="Images of each")
            seed = form.seed()
            note = gr.Markdown()
        with gr.Column(scale=2), gr.Row():
            pictures = [form.picture("Left", "left"), form.picture("Right", "right")]
    form.finish(
        [first, second, shown, num, seed],
        [*pictures, note],
        lambda chosen, *values: make(form.studio, chosen, *values),
        "Compare",
    )
