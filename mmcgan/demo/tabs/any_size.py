"""Any size: a window that pans and zooms over one image of a generator with an implicit output layer."""

from __future__ import annotations

from typing import Any

from mmcgan.apis.sampling import sample
from mmcgan.apis.views import find_view
from mmcgan.demo.commands import command
from mmcgan.demo.form import Form, asked_for, in_command, real, whole
from mmcgan.demo.studio import Model, Studio
from mmcgan.zoo.models import LoadedModel

KEY, TITLE = "size", "Any size"
LEAST_MODELS = 1
#: longest side of what is rendered
WINDOW = 512
LARGEST_ZOOM = 7


def can(loaded: LoadedModel) -> bool:
    """Return whether the generator makes images of any size."""
    return loaded.model.generator.any_size


def window_of(side: int, across: float, down: float) -> tuple[int, int, int, int]:
    """Return top, left, height and width of what is seen of a square image.

    Args:
        side: of the image, pixels.
        across, down: where the middle of the window is, as shares of the way it can go.
    """
    seen = min(side, WINDOW)
    return round((side - seen) * down), round((side - seen) * across), seen, seen


def make(
    studio: Studio, model: Model, shown: str | None, seed: Any, zoom: Any, across: Any, down: Any
) -> tuple[str, str]:
    """Return the picture and the command.

    Raises:
        ValueError: an unknown class, or an image that is larger than this page makes.
    """
    if not model.loaded.model.generator.any_size:
        raise ValueError(f"{model.loaded.name} makes images of one size; choose an Omni-INR model")
    side = model.size[0] * 2 ** whole(zoom, "zoom", 0, LARGEST_ZOOM)
    if side > studio.limits.side:
        raise ValueError(f"{side} x {side} pixels; this page makes images of up to {studio.limits.side}")
    share = [real(value, what, 0, 1) for value, what in ((across, "across"), (down, "down"))]
    window = window_of(side, *share)
    asked = asked_for(model, [shown] if shown else None)
    seed = whole(seed, "seed")
    view = find_view(side, window if side > WINDOW else None)
    out = studio.new_folder() / "samples"
    result = sample(model.loaded, num=1, seed=seed, view=view, out=out, **asked)
    part = list(window) if side > WINDOW else None
    line = command(
        "sample",
        model.source,
        **in_command(asked),
        num=1,
        seed=seed,
        size=[side, side],
        window=part,
        out="samples",
    )
    return str(result.images[0]), line


def build(form: Form) -> None:
    """Add the parts of the tab."""
    gr = form.gr
    with gr.Row():
        with gr.Column(scale=1):
            model, shown, seed = form.model_shows_seed()
            zoom = gr.Slider(
                0, LARGEST_ZOOM, 4, step=1, label="Zoom (sides are doubled)", elem_id=form.name("zoom")
            )
            across = gr.Slider(0, 1, 0.5, step=0.01, label="Across")
            down = gr.Slider(0, 1, 0.5, step=0.01, label="Down")
        with gr.Column(scale=2):
            picture = form.picture("Window", height=540)
    inputs = [model, shown, seed, zoom, across, down]
    form.finish(inputs, [picture], lambda chosen, *values: make(form.studio, chosen, *values), "Render")
