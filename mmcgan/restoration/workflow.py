"""Restoring image files with a trained generator."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from mmcgan.datasets.progress import progress_bar
from mmcgan.extractors.classifier_file import write_atomically
from mmcgan.hooks.sample_grid import contact_sheet, tile, write_png
from mmcgan.random import make_generator
from mmcgan.registry import DEGRADATIONS
from mmcgan.restoration.degradations import Degradation
from mmcgan.restoration.figures import figures
from mmcgan.restoration.fitting import Fitting, Progress, check_depth
from mmcgan.restoration.groups import parameter_groups
from mmcgan.restoration.images import read_as_is, read_square, read_whole
from mmcgan.restoration.morphing import Tuned, morph
from mmcgan.restoration.plan import Plan, Stage
from mmcgan.restoration.presets import PRESETS, preset_plan, shortened
from mmcgan.restoration.prior import Prior, load_prior
from mmcgan.restoration.problem import Problem
from mmcgan.restoration.render import Size, makes_any_size, render
from mmcgan.restoration.search import candidate_distances
from mmcgan.structures import Condition

SNAPSHOTS = 6
JITTERS = (0.3, 0.5, 0.7)
PER_JITTER = 8
MORPHS = tuple(step / 10 for step in range(11))


@dataclass(frozen=True)
class RestoreOptions:
    """What is set besides the task.

    Attributes:
        degraded: the images are degraded already; otherwise they are originals, which are degraded first
            and compared with what comes out.
        label: class of the images; None chooses one with the latent.
        to_label: of task ``transfer``: the class to show the image as.
        seed: of the candidates.
        candidates: latents to choose from; None as in the plan.
        share: of the plan's iterations to make.
        factor: of tasks ``sr`` and ``hybrid``.
        size: shorter side of the result, for a generator of any size; None its own.
        overwrite: restore images again that were restored with other settings.
    """

    degraded: bool = False
    label: int | None = None
    to_label: int | None = None
    seed: int = 0
    candidates: int | None = None
    share: float = 1.0
    factor: int | None = None
    size: int | None = None
    overwrite: bool = False


@dataclass(frozen=True)
class Restored:
    """One restored image.

    Attributes:
        image: (1, 3, H, W) in [-1, 1].
        tuned: the copy of the generator that makes it, and its latent.
        snapshots: what was made on the way.
    """

    image: Tensor
    tuned: Tuned
    snapshots: list[Tensor]


@dataclass(frozen=True)
class RestoreResult:
    """What was written for one image.

    Attributes:
        source: the image.
        picture: the restored image.
        sheet: what was given, the way, what came out and, where known, the original.
        figures: PSNR and SSIM, where the original is known.
        skipped: whether it had been restored before.
    """

    source: Path
    picture: Path
    sheet: Path
    figures: dict[str, float]
    skipped: bool = False


def restore(
    model: str | Path | Prior,
    images: Sequence[str | Path],
    task: str = "reconstruct",
    stages: Sequence[Stage] | None = None,
    *,
    out: str | Path = "restored",
    checkpoint: str | Path | None = None,
    distance: str = "auto",
    options: RestoreOptions | None = None,
) -> list[RestoreResult]:
    """Restore images and write them; those restored before with the same settings are passed over.

    Args:
        model, checkpoint, distance: see :func:`mmcgan.restoration.prior.load_prior`.
        images: files. A generator of any size restores the whole image, others its centre square.
        task: one of ``mmcgan.restoration.presets.PRESETS``.
        stages: in place of the task's own.
        out: folder; gets ``<name>_<task>.png``, ``<name>_<task>_sheet.png`` and ``<name>_<task>.json``.
        options: see :class:`RestoreOptions`.

    Raises:
        FileExistsError: an image was restored into ``out`` with other settings.
        FileNotFoundError: an image or the model is not there.
        ValueError: an unknown task, label or distance, unreadable images, or options that do not fit.
    """
    options = options or RestoreOptions()
    paths = [Path(image) for image in images]
    degradation = _check(paths, task, options)
    prior = model if isinstance(model, Prior) else load_prior(model, checkpoint, distance)
    plan = _plan(prior, task, stages, options)
    prior.conditions(1, options.label, make_generator("a check of the label"))
    prior.conditions(1, options.to_label, make_generator("a check of the label"))
    settings = {
        "model": prior.loaded.name,
        "task": task,
        "plan": asdict(plan),
        "options": {k: v for k, v in asdict(options).items() if k != "overwrite"},
    }
    settings = json.loads(json.dumps(settings))
    folder = Path(out)
    done = {path: _done(folder, path, task, settings, options.overwrite) for path in paths}
    waiting = [path for path in paths if done[path] is None]
    read = {path: _read(prior, path, degradation, options) for path in waiting}
    tuned: dict[Path, Tuned] = {}
    total = len(waiting) * (plan.candidates + plan.iterations)
    with progress_bar("Restoring", total) as advance:
        for path in waiting:
            given, original, size = read[path]
            problem = Problem(given, degradation, prior.distance, size)
            restored = restore_image(prior, problem, plan, options, advance)
            tuned[path] = restored.tuned
            done[path] = _write(folder, path, task, settings, problem, original, restored, options)
    if task == "morph" and len(tuned) == len(paths):
        _write_morph(folder, [tuned[path] for path in paths], paths)
    return [result for result in (done[path] for path in paths) if result is not None]


def restore_image(
    prior: Prior,
    problem: Problem,
    plan: Plan,
    options: RestoreOptions | None = None,
    advance: Callable[[], None] = lambda: None,
) -> Restored:
    """Restore one image; the prior's generator stays as it is.

    Args:
        prior: the model.
        problem: the image.
        plan: how.
        options: ``label`` and ``seed`` are looked at.
        advance: called once per candidate and iteration.
    """
    options = options or RestoreOptions()
    generator = prior.copied_generator()
    latent, condition = _start(prior, problem, plan, options, advance)
    every = max(1, plan.iterations // SNAPSHOTS)
    snapshots: list[Tensor] = []

    def report(progress: Progress) -> None:
        advance()
        if progress.iteration % every == 1 or every == 1:
            snapshots.append(progress.image)

    fitting = Fitting(generator, latent, plan)
    image = fitting.run(problem, condition, report)
    return Restored(image, Tuned(generator, fitting.latent.detach(), condition), snapshots)


def _start(
    prior: Prior, problem: Problem, plan: Plan, options: RestoreOptions, advance: Callable[[], None]
) -> tuple[Tensor, Condition]:
    """Return the latent (1, D) and the condition of the best candidate."""
    source = make_generator(options.seed, "candidates of a restoration")
    number = max(1, plan.candidates)
    conditions = prior.conditions(number, options.label, source)
    latents = prior.loaded.model.latent_sampler.sample(number, source) * plan.deviation
    if plan.candidates == 0:
        return torch.zeros_like(latents), conditions
    distances = candidate_distances(prior.generator, latents, conditions, problem, advance=advance)
    best = int(distances.argmin())
    return latents[best : best + 1].clone(), conditions[slice(best, best + 1)]


def _check(paths: Sequence[Path], task: str, options: RestoreOptions) -> Degradation:
    """Return the degradation of ``task``, once everything that needs no model fits."""
    if task not in PRESETS:
        raise ValueError(f"task={task!r}: choose one of {', '.join(PRESETS)}")
    missing = [path for path in paths if not path.is_file()]
    if missing or not paths:
        raise FileNotFoundError(f"no image {missing[0]}" if missing else "no images to restore")
    names = [path.stem for path in paths]
    twice = [name for name in names if names.count(name) > 1]
    if twice:
        raise ValueError(f"two images are called {twice[0]!r}; their results would have one name")
    if task == "morph" and len(paths) != 2:
        raise ValueError(f"task=morph goes from one image to another: give two, got {len(paths)}")
    if (task == "transfer") != (options.to_label is not None):
        raise ValueError("task=transfer, and no other, needs the class to show the image as (to_label)")
    if options.factor is not None and task not in ("sr", "hybrid"):
        raise ValueError(f"factor={options.factor} is of the tasks sr and hybrid, not of {task}")
    if not options.share > 0:
        raise ValueError(f"share of the iterations must be greater than 0, got {options.share}")
    factor = {} if options.factor is None else {"factor": options.factor}
    return DEGRADATIONS.build({"type": task, **factor})


def _plan(prior: Prior, task: str, stages: Sequence[Stage] | None, options: RestoreOptions) -> Plan:
    groups = len(parameter_groups(prior.generator))
    plan = preset_plan(task, groups, prior.pixels_only)
    if stages is not None:
        plan = replace(plan, stages=tuple(stages))
    if options.candidates is not None:
        plan = replace(plan, candidates=options.candidates)
    check_depth(plan, prior.generator, groups)
    return shortened(plan, options.share)


def _read(
    prior: Prior, path: Path, degradation: Degradation, options: RestoreOptions
) -> tuple[Tensor, Tensor | None, Size | None]:
    """Return the degraded image, the original if it is known, and the size of a generator of any."""
    own: int = prior.generator.image_size  # type: ignore[assignment]
    if makes_any_size(prior.generator):
        image = read_whole(path, options.size or own)
    elif options.size not in (None, own):
        raise ValueError(f"size={options.size}: {prior.loaded.name} makes images of {own} x {own} only")
    else:
        image = read_square(path, own)
    height, width = image.shape[2:]
    size = (height, width) if makes_any_size(prior.generator) else None
    if not options.degraded:
        return degradation.target(image), image, size
    small = read_as_is(path)
    if small.shape[2] < height and small.shape[2] == small.shape[3]:
        image = degradation.place(small, (height, width)) if size is None else image
    return image, None, size


def _files(folder: Path, path: Path, task: str) -> dict[str, Path]:
    stem = f"{path.stem}_{task}"
    return {
        "picture": folder / f"{stem}.png",
        "sheet": folder / f"{stem}_sheet.png",
        "record": folder / f"{stem}.json",
        "jitter": folder / f"{stem}_neighbours.png",
    }


def _done(
    folder: Path, path: Path, task: str, settings: dict[str, Any], overwrite: bool
) -> RestoreResult | None:
    """Return what is there of an image that was restored before, None if nothing is."""
    files = _files(folder, path, task)
    if not files["record"].is_file():
        return None
    record = json.loads(files["record"].read_text(encoding="utf-8"))
    if record["settings"] == settings and record["source"] == str(path):
        return RestoreResult(path, files["picture"], files["sheet"], record["figures"], skipped=True)
    if overwrite:
        return None
    raise FileExistsError(
        f"{files['record']} was made with other settings; choose another --out or give --overwrite"
    )


def _write(
    folder: Path,
    path: Path,
    task: str,
    settings: dict[str, Any],
    problem: Problem,
    original: Tensor | None,
    restored: Restored,
    options: RestoreOptions,
) -> RestoreResult:
    files, image = _files(folder, path, task), restored.image
    if options.to_label is not None:
        condition = Condition(label=torch.tensor([options.to_label]))
        with torch.no_grad():
            image = render(restored.tuned.generator, restored.tuned.latent, condition, problem.size)
    finished = problem.degradation.finish(image, problem.target).clamp(-1, 1)
    known = {} if original is None else figures(finished, original, problem.degradation)
    row = [problem.target, *restored.snapshots, image, finished, *([] if original is None else [original])]
    write_png(tile(finished, 1), files["picture"])
    write_png(contact_sheet(torch.cat(row), len(row)), files["sheet"])
    if task == "jitter":
        write_png(contact_sheet(_neighbours(restored.tuned, options.seed), PER_JITTER), files["jitter"])
    record = {"source": str(path), "figures": known, "settings": settings}
    content = json.dumps(record, indent=2).encode()
    write_atomically(files["record"], content)
    return RestoreResult(path, files["picture"], files["sheet"], known)


def _neighbours(tuned: Tuned, seed: int) -> Tensor:
    """Return images around a latent, a row per standard deviation."""
    source = make_generator(seed, "neighbours of a restoration")
    rows = []
    for deviation in JITTERS:
        noise = torch.randn(PER_JITTER, tuned.latent.shape[1], generator=source)
        conditions = Condition.cat([tuned.condition] * PER_JITTER)
        with torch.no_grad():
            rows.append(render(tuned.generator, tuned.latent + deviation * noise, conditions))
    return torch.cat(rows)


def _write_morph(folder: Path, ends: Sequence[Tuned], paths: Sequence[Path]) -> None:
    frames = torch.cat([morph(ends[0], ends[1], 1 - share) for share in MORPHS])
    write_png(contact_sheet(frames, len(frames)), folder / f"{paths[0].stem}_to_{paths[1].stem}.png")
