"""Calls every command that writes where no file can grow, prints a JSON report of what each says.

A program of its own (``python -m tests.test_trust.run_on_full_disk FOLDER``): the limit is one of the
system's (RLIMIT_FSIZE), so that every writer, Python's or a library's, meets a real error of the disk. A
command that writes is in ``WRITES``, with how it is called, or in ``ELSEWHERE``, and why.
"""

import json
import os
import resource
import sys
import warnings
from pathlib import Path

import torch
from PIL import Image

from tests.test_trust import hostile
from tests.test_trust.run_commands import call, calls_of, reported

TINY = "biggan_digits-16"
RESTORE = ["--task", "reconstruct", "--model", TINY, "--candidates", "2", "--share", "0.001"]
#: bytes that a file may have; a run's config is copied before it is read
LIMIT, WITH_A_CONFIG = 100, 25_000
CONFIGURED = ("train", "reference-stats")
#: command -> calls, beside ``{out}`` with names of make_files
WRITES = {
    "sample": [[TINY, "--num", "2", "--out", "{out}"]],
    "interpolate": [[TINY, "--rows", "1", "--out", "{out}.png"]],
    "sefa": [[TINY, "--out", "{out}.png"]],
    "export": [[TINY, "{out}.onnx"]],
    "export-weights": [["{run}", "{out}.safetensors"]],
    "push-to-hub": [[TINY, "user/name", "--dry-run", "{out}"]],
    "convert": [["{theirs}", "{out}.safetensors"], [TINY, "{out}", "--to", "mmagic"]],
    "pack-dataset": [["{photos}", "{out}", "--image-size", "16", "--unlabelled"]],
    "prepare-instances": [
        ["--images", "{photos}", "--extractor", "digits-16", "--out", "{out}", "--unlabelled", "--k", "1"]
    ],
    "reference-stats": [[TINY, "--out", "{out}.safetensors"], [TINY, "--npz", "{out}.npz"]],
    "evaluate-folders": [
        ["{photos}", "{photos}", "--extractor", "digits-16", "--metrics", "fid", "--json", "{out}.json"]
    ],
    "preview": [["{photos}", "--out", "{out}.png"]],
    "plot": [["{logs}", "--out", "{out}.png"]],
    "plot-evaluations": [["{report}", "--out", "{out}.png"]],
    "compare": [["{logs}", "--num", "0", "--out", "{out}.html"]],
    "report": [["{logs}", "--out", "{out}.html"]],
    "film": [["{logs}", "--out", "{out}.gif"]],
    "restore": [["{photos}/a.png", *RESTORE, "--out", "{out}"]],
    "train-ssl-extractor": [["--images", "{photos}", "--out", "{out}.safetensors", "--epochs", "1"]],
    "train": [
        [TINY, "--work-dir", "{out}", "--cfg-options", "train_cfg.max_iters=1", "train_cfg.val_interval=9"]
    ],
}
ELSEWHERE = {
    "test": "writes its report as evaluate-folders does, and takes a minute",
    "new": "measures this machine; writes as sample does",
    "claims": "starts trainings as processes of their own",
    "demo": "writes what commands write that are here",
    "train-classifier": "trains for a minute; writes as train-ssl-extractor does",
    "train-segmenter": "trains for a minute; writes as train-ssl-extractor does",
    "coco-stuff-split": "wants the files of COCO-Stuff",
}


def make_files(folder):
    """Write what the commands read, and return it by placeholder."""
    names = {name: folder / name for name in ("photos", "logs", "theirs")}
    for path in names.values():
        path.mkdir()
    for letter, level in zip("abcdefgh", range(0, 240, 30), strict=True):
        Image.new("RGB", (16, 16), (level, 30, 90)).save(names["photos"] / f"{letter}.png")
    model = dict(generator=hostile.GENERATOR, condition_sampler=hostile.LABEL)
    names["run"] = hostile.write_run(folder / "iter_1.pth", model)
    (names["logs"] / "config.py").write_text("model = dict(type='ConditionalGAN')\n")
    logged = names["logs"] / "run" / "vis_data" / "scalars.json"
    logged.parent.mkdir(parents=True)
    logged.write_text("".join(json.dumps(dict(step=step, fid=1.0 / step)) + "\n" for step in (1, 2, 3)))
    (names["logs"] / "samples").mkdir()
    for step in (1, 2):
        picture = Image.effect_noise((32, 32), 90).convert("RGB")
        picture.save(names["logs"] / "samples" / f"iter_{step:07d}.png")
    names["report"] = folder / "report.json"
    figures = dict(fid=dict(mean=1.0, std=0.1))
    names["report"].write_text(
        json.dumps(
            dict(
                config="x",
                sweep=[dict(truncation=0.5, summary=figures), dict(truncation=1.0, summary=figures)],
            )
        )
    )
    status, errors = call("convert", [TINY, str(names["theirs"]), "--to", "mmagic"])
    assert status == 0, errors
    return {key: str(value) for key, value in names.items()}


def limited(size):
    """Let no file that this process writes grow beyond ``size`` bytes."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))


def leftovers(out):
    """Return what lies where a command was to write, beside folders and logs."""
    there = [*out.parent.glob(f"{out.name}.*"), *(out.rglob("*") if out.is_dir() else ())]
    return [str(path.relative_to(out.parent)) for path in there if path.is_file()]


def run(folder, only=()):
    """Return a report per call."""
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    names = make_files(folder)
    os.chdir(folder)
    report = []
    for command, template, arguments, out in calls_of(WRITES, folder, names, only):
        limited(WITH_A_CONFIG if command in CONFIGURED else LIMIT)
        try:
            status, errors = call(command, arguments)
        finally:
            limited(resource.RLIM_INFINITY)
        report.append(reported(command, template, status, errors, left=leftovers(out)))
    return report


if __name__ == "__main__":
    print("REPORT " + json.dumps(run(Path(sys.argv[1]), sys.argv[2:])))
