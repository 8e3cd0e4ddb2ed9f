"""What is written of a restored image, and what is there of one that was restored before."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from mmcgan.checkpoints.atomic import write_file
from mmcgan.films import write_film
from mmcgan.pictures import contact_sheet, tile, write_png
from mmcgan.random import make_generator
from mmcgan.restoration.figures import figures
from mmcgan.restoration.morphing import Tuned, morph
from mmcgan.restoration.options import Restored, RestoreOptions, RestoreResult
from mmcgan.restoration.reading import Given
from mmcgan.restoration.render import Size, render
from mmcgan.structures import Condition
from mmcgan.text_files import content_of, read_json

JITTERS = (0.3, 0.5, 0.7)
PER_JITTER = 8
MORPHS = tuple(step / 10 for step in range(11))
#: Smallest height of an animation, and the milliseconds of a frame.
GIF_HEIGHT, GIF_PACE = 128, 250
#: LPIPS networks shrink an image many times; smaller ones are enlarged to this.
LPIPS_SIDE = 64

LPIPSNetwork = Callable[[Tensor, Tensor], Tensor]


@dataclass(frozen=True)
class Output:
    """Where results go.

    Attributes:
        folder: gets ``<name>_<task>.png``, ``_sheet.png``, ``.json`` and, by task and options, more.
        task: see :func:`mmcgan.restoration.restore`.
        settings: everything that decides a result; plain.
        options: as asked for.
        contents: SHA-256 of each image's file.
        lpips: network for a figure, None without.
    """

    folder: Path
    task: str
    settings: dict[str, Any]
    options: RestoreOptions
    contents: dict[Path, str]
    lpips: LPIPSNetwork | None = None

    def files(self, path: Path) -> dict[str, Path]:
        """Return the files of an image."""
        stem = f"{path.stem}_{self.task}"
        return {
            "picture": self.folder / f"{stem}.png",
            "sheet": self.folder / f"{stem}_sheet.png",
            "record": self.folder / f"{stem}.json",
            "neighbours": self.folder / f"{stem}_neighbours.png",
            "gif": self.folder / f"{stem}.gif",
        }

    def missing(self, path: Path) -> bool:
        """Return whether a file that a finished image has is not there."""
        files = self.files(path)
        asked = {"neighbours": self.task == "jitter", "gif": self.options.gif}
        return not all(file.is_file() for name, file in files.items() if asked.get(name, True))

    def identity(self, path: Path) -> dict[str, Any]:
        """Return everything that decides the result of an image, by what is in the files, not their names."""
        return {**self.settings, "image": self.contents[path]}

    def strip(self, paths: Sequence[Path]) -> Path:
        """Return the picture of what lies between two images."""
        return self.folder / f"{paths[0].stem}_to_{paths[1].stem}.png"


RECORD = "the record of a restored image"


def finished_before(output: Output, path: Path) -> RestoreResult | None:
    """Return what is there of an image that was restored before, None if something is missing.

    Raises:
        FileExistsError: it was restored with other settings or weights, or from another image, and
            ``overwrite`` is off.
    """
    files, options = output.files(path), output.options
    if not files["record"].is_file():
        return None
    record = read_json(files["record"], RECORD)
    stated, wanted = record.get("settings"), output.identity(path)
    stated = stated if isinstance(stated, dict) else {}
    other = [key for key in {**wanted, **stated} if stated.get(key, ...) != wanted.get(key, ...)]
    if not other and not output.missing(path):
        with content_of(files["record"], RECORD):
            figures_before = dict(record["figures"])
        return RestoreResult(path, files["picture"], files["sheet"], figures_before, skipped=True)
    if not other or options.overwrite:
        return None
    raise FileExistsError(
        f"{files['record']} was made with other settings ({', '.join(other)}: other, or not recorded); "
        "choose another --out or give --overwrite"
    )


def write_result(output: Output, path: Path, given: Given, restored: Restored) -> RestoreResult:
    """Write everything about a restored image; the record, which marks it as done, last."""
    files, label = output.files(path), output.options.to_label
    condition = restored.tuned.condition if label is None else shown_as(restored.tuned.condition, label)
    image = restored.image if label is None else _rendered(restored.tuned, condition, given.size)
    finished = given.degradation.finish(image, given.target).clamp(-1, 1)
    known = {} if given.original is None or label is not None else _figures(output, finished, given)
    way = [given.target, *restored.snapshots, image, finished]
    row = way if given.original is None else [*way, given.original]
    picture = _picture(restored.tuned, condition, given, finished)
    files["record"].unlink(missing_ok=True)  # of a result that is replaced from here on
    write_png(tile(picture, 1), files["picture"])
    write_png(contact_sheet(torch.cat(row), len(row)), files["sheet"])
    if output.task == "jitter":
        write_png(
            contact_sheet(_neighbours(restored.tuned, given, output.options.seed), PER_JITTER),
            files["neighbours"],
        )
    if output.options.gif:
        write_animation(way, files["gif"])
    record = {"source": str(path), "figures": known, "settings": output.identity(path)}
    write_file(files["record"], json.dumps(record, indent=2))
    return RestoreResult(path, files["picture"], files["sheet"], known)


def write_morph(ends: Sequence[Tuned], size: Size | None, file: Path) -> None:
    """Write what lies between two images, in eleven steps."""
    frames = torch.cat([morph(ends[0], ends[1], 1 - share, size) for share in MORPHS])
    write_png(contact_sheet(frames, len(frames)), file)


def write_animation(images: Sequence[Tensor], file: Path) -> None:
    """Write a GIF of images (1, 3, H, W) in [-1, 1], small ones enlarged, that stays at the last."""
    factor = -(-GIF_HEIGHT // images[0].shape[2])
    frames = []
    for image in images:
        enlarged = image.repeat_interleave(factor, 2).repeat_interleave(factor, 3)
        frames.append(tile(enlarged, 1))
    write_film(frames, file, GIF_PACE, last=4 * GIF_PACE)


def shown_as(condition: Condition, label: int) -> Condition:
    """Return the condition of one image with another label; all else of it stays."""
    return Condition.of({**condition.present(), "label": torch.tensor([label])})


@torch.no_grad()
def _rendered(tuned: Tuned, condition: Condition, size: Size | None) -> Tensor:
    return render(tuned.generator, tuned.latent, condition, size)


def _picture(tuned: Tuned, condition: Condition, given: Given, finished: Tensor) -> Tensor:
    """Return the result at the size it is written in, made by the generator at that size."""
    if given.output == (finished.shape[2], finished.shape[3]):
        return finished
    image = _rendered(tuned, condition, given.output)
    target = F.interpolate(given.target, size=given.output, mode="bilinear", antialias=True)
    return given.degradation.finish(image, target).clamp(-1, 1)


@torch.no_grad()
def _figures(output: Output, finished: Tensor, given: Given) -> dict[str, float]:
    assert given.original is not None
    found = figures(finished, given.original, given.degradation)
    if output.lpips is not None:
        scale = max(1.0, LPIPS_SIDE / min(finished.shape[2:]))
        size = [round(side * scale) for side in finished.shape[2:]]
        pair = [F.interpolate(each, size=size, mode="bilinear") for each in (finished, given.original)]
        found["lpips"] = float(output.lpips(pair[0], pair[1]))
    return found


def _neighbours(tuned: Tuned, given: Given, seed: int) -> Tensor:
    """Return images around a latent, a row per standard deviation."""
    source = make_generator(seed, "neighbours of a restoration")
    conditions = Condition.cat([tuned.condition] * PER_JITTER)
    rows = []
    for deviation in JITTERS:
        noise = torch.randn(PER_JITTER, tuned.latent.shape[1], generator=source)
        with torch.no_grad():
            rows.append(render(tuned.generator, tuned.latent + deviation * noise, conditions, given.size))
    return torch.cat(rows)
