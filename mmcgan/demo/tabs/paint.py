"""Paint: a label map is drawn with a brush per class, and the model paints it."""

from __future__ import annotations

import html
from typing import Any

import numpy as np
import torch
from PIL import Image

from mmcgan.apis.label_map_sampling import held_out_dataset, label_colours, map_size
from mmcgan.apis.sampling import sample
from mmcgan.demo.commands import command
from mmcgan.demo.form import Form, whole, without_places
from mmcgan.demo.studio import Model, Studio
from mmcgan.pictures import write_png
from mmcgan.zoo.models import LoadedModel

KEY, TITLE = "paint", "Paint"
LEAST_MODELS = 1
CANVAS = 512
#: brushes that are offered; a map may hold every class
MOST_BRUSHES = 60


def can(loaded: LoadedModel) -> bool:
    """Return whether the model paints label maps."""
    return "label_map" in loaded.requires


def ids_of_drawing(drawing: np.ndarray, size: tuple[int, int], num_map_classes: int) -> np.ndarray:
    """Return the class of each pixel, uint8 or uint16 (H, W): that whose colour is closest.

    Args:
        drawing: uint8 (h, w, 3 or 4), in the colours of :func:`label_colours`; transparent is class 0.
        size: height and width of the map.
        num_map_classes: number of classes.
    """
    picture = Image.fromarray(drawing).resize((size[1], size[0]), Image.Resampling.NEAREST)
    pixels = np.asarray(picture).astype(np.int32)
    colours = label_colours(num_map_classes).numpy().astype(np.int32)
    away = np.stack([np.square(pixels[..., :3] - colour).sum(-1) for colour in colours], axis=-1)
    ids = away.argmin(-1)
    if pixels.shape[-1] == 4:
        ids[pixels[..., 3] < 128] = 0
    return ids.astype(np.uint8 if num_map_classes <= 256 else np.uint16)


def class_names(loaded: LoadedModel) -> list[str]:
    """Return what the classes of pixels are called, by number; numbers where nobody says."""
    count = int(loaded.model.generator.num_map_classes)
    try:
        names = list(held_out_dataset(dict(loaded.record.dataset), loaded.name, loaded.origin).map_classes)
    except (ValueError, OSError, AttributeError):
        names = []
    return [str(name) for name in names] if len(names) == count else [str(i) for i in range(count)]


def held_out_drawing(model: Model, number: int) -> np.ndarray:
    """Return a map of the data that the model was not trained with, as a drawing uint8 (CANVAS, CANVAS, 3).

    Raises:
        FileNotFoundError, ValueError: there is none.
    """
    data = held_out_dataset(dict(model.loaded.record.dataset), model.loaded.name, model.loaded.origin)
    ids = data.__getitems__([number % len(data)])["label_map"][0].long()
    colours = label_colours(int(model.loaded.model.generator.num_map_classes))[ids]
    return np.asarray(Image.fromarray(colours.numpy()).resize((CANVAS, CANVAS), Image.Resampling.NEAREST))


def make(studio: Studio, model: Model, drawing: Any, seed: Any) -> tuple[str, str, str]:
    """Return the picture, the label map as a file, and the command.

    Raises:
        ValueError: nothing is drawn.
    """
    composite = drawing.get("composite") if isinstance(drawing, dict) else None
    if not isinstance(composite, np.ndarray) or composite.ndim != 3:
        raise ValueError("draw a label map first, or begin with a held-out one")
    size, classes = map_size(model.loaded), int(model.loaded.model.generator.num_map_classes)
    ids = ids_of_drawing(composite, size, classes)
    folder, seed = studio.new_folder(), whole(seed, "seed")
    path = folder / "map.png"
    write_png(ids, path)
    result = sample(model.loaded, label_maps=[path], num=1, seed=seed, out=folder / "samples")
    line = command("sample", model.source, label_maps="map.png", num=1, seed=seed, out="samples")
    return str(result.images[0]), str(path), line


def legend(model: Model) -> str:
    """Return the colours and names of the classes as HTML."""
    colours = label_colours(int(model.loaded.model.generator.num_map_classes)).tolist()
    swatch = '<span style="display:inline-block;width:1em;height:1em;background:rgb({},{},{})"></span> {}'
    named = zip(colours, class_names(model.loaded), strict=True)
    return " &nbsp; ".join(swatch.format(*colour, html.escape(name)) for colour, name in named)


def brush(gr: Any, model: Model) -> Any:
    """Return a brush with the colours of the classes and no others."""
    colours = label_colours(int(model.loaded.model.generator.num_map_classes))[:MOST_BRUSHES]
    codes = ["#{:02x}{:02x}{:02x}".format(*colour) for colour in colours.tolist()]
    return gr.Brush(
        default_size=40, colors=codes, default_color=codes[min(1, len(codes) - 1)], color_mode="fixed"
    )


def _start(model: Model) -> np.ndarray:
    try:
        return held_out_drawing(model, 0)
    except (ValueError, OSError):
        return torch.zeros(CANVAS, CANVAS, 3, dtype=torch.uint8).numpy()


def build(form: Form) -> None:
    """Add the parts of the tab."""
    gr, studio, first = form.gr, form.studio, form.first
    with gr.Row():
        with gr.Column(scale=1):
            model = form.model()
            names = gr.HTML(legend(first))
            drawing = form.board(
                "Label map",
                value=_start(first),
                brush=brush(gr, first),
                eraser=gr.Eraser(default_size=40),
                canvas_size=(CANVAS, CANVAS),
                fixed_canvas=True,
            )
            other = gr.Button("Another held-out map", elem_id=form.name("other"))
            seed = form.seed()
        with gr.Column(scale=1):
            picture = form.picture("Painted", height=540)
            file = gr.File(label="The map: class numbers as PNG", interactive=False, height=80)
    number = gr.State(0)

    def chosen(name: str) -> Any:
        now = studio.model(name)
        return legend(now), gr.update(value=_start(now), brush=brush(gr, now)), 0

    def following(name: str, current: int) -> Any:
        try:
            return held_out_drawing(studio.model(name), current + 1), current + 1
        except (ValueError, OSError) as error:
            raise gr.Error(without_places(str(error)), print_exception=False) from error

    model.change(chosen, model, [names, drawing, number], queue=False, api_name=False)
    other.click(following, [model, number], [drawing, number], queue=False, api_name=False)
    form.finish(
        [model, drawing, seed],
        [picture, file],
        lambda asked, *values: make(studio, asked, *values),
        "Paint",
    )
