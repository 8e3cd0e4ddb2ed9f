"""Restoring image files with a trained generator."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from mmcgan.checkpoints.checksum import checksum
from mmcgan.checkpoints.hashing import file_hash
from mmcgan.evaluation.metrics.pixels import load_lpips
from mmcgan.progress import progress_bar
from mmcgan.random import make_generator
from mmcgan.restoration.fitting import Fitting, Progress, check_depth
from mmcgan.restoration.groups import parameter_groups
from mmcgan.restoration.morphing import Tuned
from mmcgan.restoration.options import Restored, RestoreOptions, RestoreResult
from mmcgan.restoration.plan import Plan, Stage
from mmcgan.restoration.presets import check_task, for_size, preset_plan, shortened
from mmcgan.restoration.prior import Prior, load_prior
from mmcgan.restoration.problem import Problem
from mmcgan.restoration.reading import FACTORS, degradation_of, read_given
from mmcgan.restoration.search import candidate_distances
from mmcgan.restoration.writing import Output, finished_before, write_morph, write_result
from mmcgan.structures import Condition

SNAPSHOTS = 6
PROBES = 16
LPIPS = ("alex", "vgg", "squeeze")


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

    The same are the weights of the model and of the discriminator, the image and the mask by what is in them,
    whatever their names, and everything that was asked for. All files of the result must still be there.

    Args:
        model, checkpoint, distance: see :func:`mmcgan.restoration.prior.load_prior`.
        images: files. A generator of any size restores the whole image, others its centre square.
        task: name of a registered degradation (``mmcgan.registry.DEGRADATIONS``).
        stages: in place of the task's own.
        out: folder; gets ``<name>_<task>.png``, ``<name>_<task>_sheet.png`` and ``<name>_<task>.json``.
        options: see :class:`RestoreOptions`.

    Raises:
        FileExistsError: an image was restored into ``out`` with other settings, other weights or from
            another image of that name.
        FileNotFoundError: an image, the model or LPIPS weights are not there.
        ImportError: LPIPS is asked for and not installed.
        ValueError: an unknown task, label or distance, unreadable images, or options that do not fit.
    """
    options = options or RestoreOptions()
    paths = [Path(image) for image in images]
    _check(paths, task, options)
    lpips = None if options.lpips is None else load_lpips(options.lpips)
    prior = model if isinstance(model, Prior) else load_prior(model, checkpoint, distance)
    plan = _plan(prior, task, stages, options)
    settings = {**_made_with(prior, options), "task": task, "plan": asdict(plan)}
    # before they are read: what is written meanwhile is not what was read
    contents = {path: file_hash(path) for path in paths}
    output = Output(Path(out), task, json.loads(json.dumps(settings)), options, contents, lpips)
    done = {path: finished_before(output, path) for path in paths}
    if task == "morph" and not (all(done.values()) and output.strip(paths).is_file()):
        output.strip(paths).unlink(missing_ok=True)
        done = dict.fromkeys(paths)  # the way between them needs both generators
    waiting = [path for path in paths if done[path] is None]
    given = {path: read_given(prior, path, task, options) for path in waiting}
    tuned: dict[Path, Tuned] = {}
    with progress_bar("Restoring", len(waiting) * (plan.candidates + plan.iterations)) as advance:
        for path in waiting:
            own = given[path]
            problem = Problem(own.target, own.degradation, prior.distance, own.size)
            restored = restore_image(prior, problem, plan, options, advance)
            tuned[path] = restored.tuned
            done[path] = write_result(output, path, own, restored)
    if task == "morph" and len(tuned) == len(paths):
        write_morph([tuned[path] for path in paths], given[paths[0]].size, output.strip(paths))
    return [result for result in (done[path] for path in paths) if result is not None]


def _made_with(prior: Prior, options: RestoreOptions) -> dict[str, Any]:
    """Return what is recorded of the model and the options, after checking the labels."""
    drawn = prior.conditions(PROBES, options.label, make_generator("a check of the label"))
    prior.conditions(1, options.to_label, make_generator("a check of the label"))
    # some conditions tell whether what they are drawn from, such as a store of instances, is the same
    found = {**prior.recorded(), "conditions": checksum(drawn.present())}
    return {**found, "options": options.recorded()}


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
    # the plan's deviation is one of the latents of training, however wide samples are drawn
    law = prior.loaded.with_latent_scale(1).model.latent_sampler
    latents = law.sample(number, source) * plan.deviation
    if plan.candidates == 0:
        return torch.zeros_like(latents), conditions
    distances = candidate_distances(prior.generator, latents, conditions, problem, advance=advance)
    best = int(distances.argmin())
    return latents[best : best + 1].clone(), conditions[slice(best, best + 1)]


def _check(paths: Sequence[Path], task: str, options: RestoreOptions) -> None:
    """Check everything that needs no model."""
    check_task(task)
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
    if options.factor is not None and task not in FACTORS:
        raise ValueError(f"factor={options.factor:g} is of the tasks sr and hybrid, not of {task}")
    if options.mask is not None and task != "inpaint":
        raise ValueError(f"mask={options.mask} is of the task inpaint, not of {task}")
    if options.mask is not None and not Path(options.mask).is_file():
        raise FileNotFoundError(f"no mask {options.mask}")
    if options.lpips is not None and options.lpips not in LPIPS:
        raise ValueError(f"lpips={options.lpips!r}: choose one of {', '.join(LPIPS)}")
    degradation_of(task, options.factor)


def _plan(prior: Prior, task: str, stages: Sequence[Stage] | None, options: RestoreOptions) -> Plan:
    groups = len(parameter_groups(prior.generator))
    plan = for_size(preset_plan(task, groups, prior.pixels_only), int(prior.generator.image_size))
    if stages is not None:
        plan = replace(plan, stages=tuple(stages))
    if options.candidates is not None:
        plan = replace(plan, candidates=options.candidates)
    check_depth(plan, prior.generator, groups)
    return shortened(plan, options.share)
