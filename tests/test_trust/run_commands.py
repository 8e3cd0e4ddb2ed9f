"""Gives every command a hostile file of each kind that it takes, under the guard; prints a JSON report.

A program of its own (``python -m tests.test_trust.run_commands FOLDER``), because audit hooks stay. A command
that takes files is in ``TAKES`` with how it is called; one that takes none is in ``TAKES_NONE``, and why.
"""

import contextlib
import importlib
import io
import json
import os
import pickle
import pkgutil
import shutil
import sys
import traceback
import warnings
from pathlib import Path

import torch

import mmcgan
from mmcgan.cli import COMMANDS, main
from tests.test_trust import hostile
from tests.test_trust.guard import Guard

TINY = "biggan_digits-16"
ICGAN = "icgan_biggan_fashion-mnist-32"
RESTORE = ["--task", "reconstruct", "--out", "{out}", "--model"]
CLASSIFIER = ["--extractor", "digits-16"]

#: command -> calls; names in braces stand for the files of make_files
TAKES = {
    "sample": [
        ["{model}", "--num", "1", "--out", "{out}"],
        ["{run}", "--num", "1", "--out", "{out}"],
        ["{pickle}", "--num", "1", "--out", "{out}"],
        ["{run}", "--num", "1", "--ddls", "1", "--out", "{out}"],
        ["{instances}", "--num", "1", "--out", "{out}"],
        ["{instances}", "--instances", "{photos}", "--num", "1", "--out", "{out}"],
        [ICGAN, "--instances", "{photos}", "--num", "1", "--out", "{out}"],
        [ICGAN, "--instances", "{good}", "--extractor", "{network}", "--out", "{out}"],
        ["spade-omni_scenes-64", "--label-maps", "{photos}", "--out", "{out}"],
        [TINY, "{record}", "--num", "1", "--out", "{out}"],
    ],
    "demo": [["{model}"], ["{run}"], ["{pickle}"]],
    "interpolate": [["{model}", "--out", "{out}.png"], ["{run}", "--out", "{out}.png"]],
    "sefa": [["{model}", "--out", "{out}.png"], ["{run}", "--out", "{out}.png"]],
    "restore": [
        [*RESTORE, "{model}", "{good}/a.png"],
        [*RESTORE, "{run}", "{good}/a.png"],
        [*RESTORE, TINY, "--discriminator", "{judge}", "{good}/a.png"],
        [*RESTORE, TINY, "{photos}/a.png"],
    ],
    "test": [[TINY, "{record}", "--work-dir", "{out}"], [TINY, "{pickle}", "--work-dir", "{out}"]],
    "train": [
        [TINY, "--work-dir", "{out}", "--cfg-options", "load_from={pickle}", "train_cfg.max_iters=1"],
        *(
            [TINY, "--work-dir", "{out}", "--from", source, "--cfg-options", "train_cfg.max_iters=1"]
            for source in ("{model}", "{run}", "{pickle}")
        ),
        [TINY, "--work-dir", "{resumed}", "--resume", "--cfg-options", "train_cfg.max_iters=1"],
    ],
    "export": [["{model}", "{out}.onnx"], ["{run}", "{out}.onnx"]],
    "export-weights": [["{run}", "{out}.safetensors"], ["{run}", "{out}.safetensors", "--discriminator"]],
    "push-to-hub": [["{record}", "user/name", "--dry-run", "{out}"]],
    "convert": [
        ["{pickle}", "{out}.safetensors"],
        ["{run}", "{out}.safetensors"],
        ["{model}", "{out}", "--to", "biggan_pytorch"],
        ["{run}", "{out}", "--to", "biggan_pytorch"],
        ["{folder}", "{out}.safetensors"],
    ],
    "prepare-instances": [
        ["--images", "{photos}", *CLASSIFIER, "--out", "{out}", "--unlabelled", "--k", "1"],
        ["--images", "{good}", "--extractor", "{network}", "--out", "{out}", "--unlabelled"],
    ],
    "evaluate-folders": [
        ["{photos}", "{photos}", *CLASSIFIER, "--metrics", "fid"],
        ["{good}", "{good}", "--extractor", "{network}", "--metrics", "fid"],
    ],
    "pack-dataset": [["{photos}", "{out}", "--image-size", "16", "--unlabelled"]],
    "train-ssl-extractor": [["--images", "{photos}", "--out", "{out}.safetensors", "--epochs", "1"]],
    "preview": [["{photos}", "--out", "{out}.png"]],
    "new": [["{photos}", "--out", "{out}"]],
    "plot": [["{logs}", "--out", "{out}.png"]],
    "compare": [["{logs}", "--out", "{out}.html"], ["{compared}", "--out", "{out}.html"]],
    "report": [
        ["{logs}", "--out", "{out}.html"],
        ["{compared}", "--out", "{out}.html"],
        ["{reported}", "--out", "{out}.html"],
    ],
    "film": [["{filmed}", "--out", "{out}.gif"]],
    "plot-evaluations": [["{json}", "--out", "{out}.png"]],
    "coco-stuff-split": [["--annotations", "{coco}", "--out", "{out}"]],
}
TAKES_NONE = {
    "list": "shows the package's own index",
    "completion": "takes no file",
    "doctor": "takes no file: it looks at the machine",
    "plugins": "takes no file: it lists what is installed",
    "check-config": "takes configs of the user's own, which are programs",
    "train-classifier": "takes a config of the user's own",
    "train-segmenter": "takes a config of the user's own",
    "claims": "takes names of claims and shipped configs; reads what it has written itself",
    "reference-stats": "takes a config of the user's own",
}
#: MMEngine asks for compilers and devices when a run starts
STARTS_RUNS = ("train", "test")


class Payload:
    """Unpickles as a command."""

    def __init__(self, flag):
        self.flag = flag

    def __reduce__(self):
        return os.system, (f"touch {self.flag}",)


def make_files(folder, flag):
    """Write hostile files of every kind and return their names by placeholder."""
    run = hostile.commands(flag)["concatenated"]
    scope = dict(type="RealCondition", dataset=hostile.commands(flag)["scope"])
    sampler = dict(type="RealCondition", dataset=run)
    model = dict(generator=hostile.GENERATOR, condition_sampler=sampler)
    (folder / "payload.py").write_text(f"open({str(flag)!r}, 'w')")
    names = {
        "model": hostile.write_exported(folder / "model.safetensors", hostile.record(sampler=sampler)),
        "record": hostile.write_exported(folder / "scope.safetensors", hostile.record(sampler=scope)),
        "run": hostile.write_run(folder / "iter_1.pth", {**model, "discriminator": run}, run),
        "network": hostile.write_exported(
            folder / "net.safetensors", "[" * 90_000, form="mmcgan-ssl-extractor-1"
        ),
        "judge": hostile.write_exported(
            folder / "judge.safetensors", dict(discriminator=run, dataset=run), form="mmcgan-discriminator-1"
        ),
        "instances": hostile.write_exported(
            folder / "instances.safetensors",
            hostile.record(
                hostile.INSTANCE,
                dict(type="AllInstances", instance_store="../elsewhere"),
                extractor=dict(config=dict(type="os.system"), describe=dict(precision="float32", name="x")),
            ),
            hostile.INSTANCE,
        ),
    }
    names["pickle"] = folder / "weights.pth"
    names["pickle"].write_bytes(pickle.dumps({"state_dict": Payload(flag)}))
    for name in ("photos", "good", "resumed", "folder", "logs", "coco", "compared", "filmed", "reported"):
        names[name] = folder / name
        names[name].mkdir()
    for letter in "abcd":
        (names["photos"] / f"{letter}.png").write_bytes(hostile.EPS)
    from PIL import Image

    for letter, level in zip("abcd", (0, 80, 160, 240), strict=True):
        Image.new("RGB", (16, 16), (level, 30, 90)).save(names["good"] / f"{letter}.png")
    torch.save({"state_dict": {}, "meta": Path("x")}, names["resumed"] / "iter_1.pth")
    (names["resumed"] / "iter_2.pth").write_bytes(pickle.dumps(Payload(flag)))
    (names["folder"] / "G_ema.pth").write_bytes(pickle.dumps(Payload(flag)))
    deep = "[" * 90_000
    names["json"] = folder / "report.json"
    scalars = names["logs"] / "run" / "vis_data" / "scalars.json"
    scalars.parent.mkdir(parents=True)
    for path in (names["json"], scalars):
        path.write_text(deep + "\n{}\n")
    logged = names["compared"] / "run" / "vis_data" / "scalars.json"
    logged.parent.mkdir(parents=True)
    logged.write_text('{"fid": 1.0, "step": 1}\n')
    (names["compared"] / "config.py").write_text(f"import os\nos.system('touch {flag}')\n")
    shutil.copy(names["run"], names["compared"] / "iter_1.pth")
    for name in ("filmed", "reported"):
        (names[name] / "samples").mkdir()
        (names[name] / "samples" / "iter_0000001.png").write_bytes(hostile.EPS)
    (names["reported"] / "config.py").write_text("train_cfg = dict(max_iters=1)\n")
    for name in ("instances_train2017", "instances_val2017", "stuff_train2017", "stuff_val2017"):
        (names["coco"] / f"{name}.json").write_text(deep)
    return {key: str(value) for key, value in names.items()}


def import_everything():
    """Import what commands import when they are called, so that later imports are for a file."""
    for module in pkgutil.walk_packages(mmcgan.__path__, "mmcgan."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    for name in ("matplotlib.pyplot", "onnx", "onnxruntime", "onnxscript", "PIL.ImageFont"):
        importlib.import_module(name)


def call(command, arguments):
    """Run a command and return its exit status and what it wrote as errors; None for an exception."""
    errors = io.StringIO()
    with contextlib.redirect_stderr(errors), contextlib.redirect_stdout(io.StringIO()):
        try:
            status = main([command, *arguments])
        except SystemExit as stop:
            status = stop.code
        except BaseException:
            return None, traceback.format_exc()
    return status, errors.getvalue()


def calls_of(table, folder, names, only=()):
    """Yield the calls of a table, or of some commands: command, template, filled arguments and output."""
    for command, calls in table.items():
        for number, template in enumerate(calls if not only or command in only else ()):
            out = folder / f"out-{command}-{number}"
            yield command, template, [part.format(out=out, **names) for part in template], out


def reported(command, template, status, errors, **more):
    """Return the report of a call with what else was seen of it."""
    return dict(command=command, arguments=template, status=status, errors=errors[-2500:], **more)


def run(folder, only=()):
    """Return a report per call, and the commands that are in neither table."""
    warnings.simplefilter("ignore")
    flag = folder / "flag"
    names = make_files(folder, flag)
    os.chdir(folder)
    sys.path.insert(0, str(folder))
    call("sample", [TINY, "--num", "1", "--out", str(folder / "warm")])  # imports what is needed
    import_everything()
    guard = Guard(folder)
    report = []
    for command, template, arguments, _ in calls_of(TAKES, folder, names, only):
        guard.violations.clear()
        guard.active = command not in STARTS_RUNS
        status, errors = call(command, arguments)
        guard.active = False
        violations = [list(found) for found in guard.violations]
        report.append(reported(command, template, status, errors, ran=flag.exists(), violations=violations))
        flag.unlink(missing_ok=True)
    return report, [name for name in COMMANDS if name not in TAKES and name not in TAKES_NONE]


if __name__ == "__main__":
    calls, missing = run(Path(sys.argv[1]), sys.argv[2:])
    print("REPORT " + json.dumps(dict(calls=calls, missing=missing)))
