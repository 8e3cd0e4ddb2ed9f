"""Mix: the way between two classes, two latents or two photos; a strip, a film, a slider."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from torch import Tensor

from mmcgan.apis.drawing import Draw, all_images
from mmcgan.apis.instance_sampling import InstanceOptions
from mmcgan.apis.interpolation import InterpolationOptions, interpolated_images, write_picture
from mmcgan.apis.planning import Asked, planned
from mmcgan.condition_fields import condition_field
from mmcgan.demo.commands import command
from mmcgan.demo.form import Form, asked_for, in_command, uploaded, whole
from mmcgan.demo.studio import Model, Studio
from mmcgan.pictures import contact_sheet, write_png
from mmcgan.zoo.models import LoadedModel

KEY, TITLE = "mix", "Mix"
LEAST_MODELS = 1
BOTH, CONDITION, LATENT, PHOTOS = "latent and class", "class alone", "latent alone", "two photos"
MOST_STEPS = 16


def can(loaded: LoadedModel) -> bool:
    """Return whether there is a way between two conditions of each kind that is asked for."""
    return all(condition_field(name).interpolates for name in loaded.requires)


def make(studio: Studio, model: Model, *values: Any) -> tuple[str, str, list[str], Any, str, str]:
    """Return strip, film, files of the frames, how far the slider goes, its frame and the command.

    Raises:
        ValueError: a class or attribute that the model does not have, or photos that cannot be read.
    """
    kind, first, last, steps, seed, *photos = values
    count, seed = whole(steps, "steps", 2, MOST_STEPS), whole(seed, "seed")
    folder = studio.new_folder()
    if kind == PHOTOS:
        images, line = _between_photos(studio, model, photos, count, seed, first)
    else:
        images, line = _between(studio, model, str(kind), [first, last], count, seed)
    strip, film = folder / "strip.png", folder / "strip.gif"
    write_picture(images, strip)
    write_picture(images, film)
    frames = []
    for number in range(count):
        frames.append(str(folder / f"{number:03d}.png"))
        write_png(contact_sheet(images[0, number : number + 1], 1), Path(frames[-1]))
    return str(strip), str(film), frames, count - 1, frames[0], line


def _between(
    studio: Studio, model: Model, kind: str, classes: Sequence[str | None], steps: int, seed: int
) -> tuple[Tensor, str]:
    if kind not in (BOTH, CONDITION, LATENT):
        raise ValueError(f"no way of the kind {kind!r}: {', '.join((BOTH, CONDITION, LATENT, PHOTOS))}")
    studio.limits.check_count(steps, model.size)
    ways = InterpolationOptions(1, steps, fix_z=kind == CONDITION, fix_y=kind == LATENT)
    asked = _ends(model, classes, ways.fix_y)
    images = interpolated_images(
        model.loaded, ways=ways, seed=seed, truncation=None, **{"labels": None, **asked}
    )
    line = command(
        "interpolate",
        model.source,
        **in_command(asked),
        rows=1,
        steps=steps,
        fix_z=ways.fix_z,
        fix_y=ways.fix_y,
        seed=seed,
        out="strip.png",
    )
    return images, line


def _ends(model: Model, classes: Sequence[str | None], kept: bool) -> dict[str, Any]:
    """Return what was chosen for both ends as arguments of :func:`mmcgan.apis.interpolation.interpolate`.

    Labels are taken in turn; of attributes each end has its own, unless they are kept along the way.
    """
    first, last = classes
    chosen = [name for name in classes if name]
    if "attributes" not in model.loaded.requires:
        return asked_for(model, chosen)
    if kept or not last:
        return asked_for(model, chosen[:1])
    return {**asked_for(model, [first] if first else None), **asked_for(model, [last], "to_attributes")}


def _between_photos(
    studio: Studio, model: Model, photos: Sequence[Any], steps: int, seed: int, name: str | None
) -> tuple[Tensor, str]:
    if "instance" not in model.loaded.requires:
        raise ValueError(f"{model.loaded.name} is not conditioned on photos; choose an IC-GAN model")
    files = [uploaded(studio, photo, f"photo {number}") for number, photo in enumerate(photos, start=1)]
    # the command makes a square: photos across, latents down; its first row is this strip
    studio.limits.check_count(steps * steps, model.size)
    options = InstanceOptions([str(file) for file in files], "interpolate", steps)
    chosen = asked_for(model, [name] if name else None)
    draw, asked = Draw(model.loaded, seed), Asked(**chosen, instances=options)
    images = all_images(draw, planned(draw, asked, steps).plan)[:steps][None]
    line = command(
        "sample",
        model.source,
        instances=[file.name for file in files],
        grid="interpolate",
        columns=steps,
        **in_command(chosen),
        seed=seed,
        out="mix",
    )
    return images, line


def build(form: Form) -> None:
    """Add the parts of the tab."""
    gr, studio = form.gr, form.studio
    photos_too = any("instance" in studio.model(name).loaded.requires for name in form.names)
    with gr.Row():
        with gr.Column(scale=1):
            model = form.model()
            kinds = [BOTH, CONDITION, LATENT, *([PHOTOS] if photos_too else [])]
            kind = gr.Radio(kinds, value=CONDITION, label="Change", elem_id=form.name("kind"))
            first = form.shows(model, "From", many=False, part="from")
            last = form.shows(model, "To", many=False, part="to", at=1)
            steps = gr.Slider(2, MOST_STEPS, 8, step=1, label="Steps")
            seed = form.seed()
            with gr.Row(visible=photos_too):
                photos = [form.photo(f"Photo {number}", f"photo{number}") for number in (1, 2)]
        with gr.Column(scale=2):
            strip = form.picture("Strip", "strip", 160)
            at = gr.Slider(0, 7, 0, step=1, label="Step", elem_id=form.name("at"))
            frame = form.picture("At this step", "frame", 260)
            film = gr.Image(
                label="Film",
                type="filepath",
                format="gif",
                interactive=False,
                height=120,
                buttons=["download", "fullscreen"],  # by default one that sends it to a site elsewhere, too
            )
    files = gr.State([])

    def work(chosen: Model, *values: Any) -> Sequence[Any]:
        made, *others = make(studio, chosen, *values)
        moving, frames, last_step, shown, line = others
        return made, moving, frames, gr.update(maximum=last_step, value=0), shown, line

    def step(frames: list[str], number: float) -> Any:
        there = [file for file in frames if Path(file).is_file()]
        return there[min(int(number), len(there) - 1)] if there else None

    at.change(step, [files, at], frame, queue=False, api_name=False, show_progress="hidden")
    form.finish([model, kind, first, last, steps, seed, *photos], [strip, film, files, at, frame], work)
