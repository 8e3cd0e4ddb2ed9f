"""Is it right: parity with the peers, exact resuming, precisions, compile, two ranks on one device."""

from __future__ import annotations

import os
import socket
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest import mock

import torch
from safetensors.torch import load_file
from torch import multiprocessing

from mmcgan.checkpoints.files import load_checkpoint
from tests.parity import cases, compare
from tests.parity.cases import find_cases
from tests.parity.runner import check_file
from tests.test_engine import plain_networks  # noqa: F401 - registers the generator
from tests.test_engine.tiny_run import differences, tiny_config
from tools.dev.device.isolate import Row, Settings, attempt, judged

PLAIN = dict(_delete_=True, type="PlainGenerator")
QUICK_CASES = 4
# What torch says when a checker keeps a part of its work on the host.
ON_THE_HOST = ("same device", "device type", "can't convert cuda", "generator", "found at least two devices")
PARTS = ("state_dict", "optimizer")


# --- parity -----------------------------------------------------------------------------------------
@contextmanager
def everything_on(device: str) -> Iterator[None]:
    """Read golden cases onto ``device``, build networks there, compare on the host; TF32 off."""

    def kept(value: torch.Tensor | float) -> torch.Tensor:
        if isinstance(value, torch.Tensor):
            return value.detach().to("cpu", torch.float64, copy=True)
        return torch.as_tensor(value, dtype=torch.float64, device="cpu")

    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = False
    read = mock.patch.object(cases, "load_file", lambda path: load_file(path, device=device))
    with torch.device(device), read, mock.patch.object(compare, "_kept", kept):
        yield


def parity(settings: Settings) -> list[Row]:
    """Check every golden case on the device."""
    rows = []
    for folder in settings.golden:
        stems = find_cases(folder)
        if settings.quick:
            stems = sorted(stems, key=lambda s: s.with_suffix(".safetensors").stat().st_size)[:QUICK_CASES]
        with everything_on(settings.device):
            records = [check_file(stem) for stem in stems]
        counts = Counter(record.status for record in records)
        for record in records:
            if record.status == "fail":
                host = any(text in record.reason for text in ON_THE_HOST)
                counts["kept on the host"] += host
                status, case = "skipped" if host else "fail", f"{record.peer} {record.case}"
                rows.append(Row("parity", case, status, {}, record.reason))
        failed = counts["fail"] - counts["kept on the host"]
        rows.insert(0, judged("parity", folder.name, [f"{failed} cases differ"] if failed else [], **counts))
    return rows


# --- training ---------------------------------------------------------------------------------------
def run(work_dir: Path, **changes: Any) -> None:
    """Run the tiny training of the tests on the device at hand."""
    from mmcgan.engine import GANRunner

    GANRunner.from_cfg(tiny_config(work_dir, **changes)).train()


def train(work_dir: Path, **changes: Any) -> dict[str, Any]:
    """Run the tiny training; return its last checkpoint."""
    run(work_dir, **changes)
    return load_checkpoint(work_dir / "iter_6.pth")


def resumed_equally(**changes: Any) -> list[str]:
    """Return in what a run that stopped after 3 of 6 iterations differs from one that did not."""
    with tempfile.TemporaryDirectory() as folder:
        work_dir = Path(folder)
        whole = train(work_dir, **changes)
        (work_dir / "iter_6.pth").unlink()
        again = train(work_dir, resume=True, **changes)
    parts = (*PARTS, "random")
    return differences({p: whole[p] for p in parts}, {p: again[p] for p in parts})


def precisions(settings: Settings) -> list[Row]:
    """Train in each precision (float16 with its scaler) and resume exactly."""
    rows = []
    for precision in ("float32", "float16") if settings.quick else ("float32", "bfloat16", "float16"):
        if precision == "float16" and settings.device != "cuda":
            rows.append(Row("exact resuming", precision, "skipped", {}, "float16 trains on CUDA only"))
            continue
        changes = {
            "optim_wrapper.precision": precision,
            "randomness.deterministic": True,
            "model.data_preprocessor": dict(type="GANDataPreprocessor", channels_last=precision != "float32"),
            "default_hooks.finite_guard.patience": 6 * (precision == "float16"),
        }

        def check(precision: str = precision, changes: dict[str, Any] = changes) -> list[Row]:
            return [judged("exact resuming", precision, resumed_equally(**changes))]

        rows += attempt("exact resuming", precision, check)
    return rows


def compiled(settings: Settings) -> list[Row]:
    """Train with a compiled generator, and with compiled networks, against uncompiled ones.

    In float32 by plain gradient descent: Adam divides a gradient that is but rounding by its own size.
    """
    descent = dict(_delete_=True, type="SGD", lr=0.02)
    plainly: dict[str, Any] = {"model.step": dict(split_d=False), "optim_wrapper.precision": "float32"}
    plainly |= {f"optim_wrapper.{player}.optimizer": descent for player in ("generator", "discriminator")}
    rows, options = [], {"backend": "eager"} if settings.quick else {}
    both = [["generator"], ["generator", "discriminator"]]
    for modules in both[: 1 if settings.quick else None]:

        def check(modules: list[str] = modules) -> list[Row]:
            with tempfile.TemporaryDirectory() as folder:
                plain = train(Path(folder) / "plain", **plainly)
                fast = train(Path(folder) / "compiled", compile=dict(modules=modules, **options), **plainly)
            worst = largest_difference(plain["state_dict"], fast["state_dict"])
            return [close("compile", " and ".join(modules), worst, 1e-3)]

        rows += attempt("compile", " and ".join(modules), check)
    return rows


def close(part: str, case: str, worst: float, limit: float) -> Row:
    """Return a row that passes if the largest difference of weights is within the limit."""
    problems = [] if worst < limit else [f"weights differ by {worst:.2g}, allowed are {limit:g}"]
    return judged(part, case, problems, **{"largest difference": worst})


def largest_difference(first: Any, second: Any) -> float:
    """Return the largest difference between the tensors of two nested structures."""
    if isinstance(first, dict):
        return max((largest_difference(first[k], second[k]) for k in first), default=0.0)
    if isinstance(first, list | tuple):
        return max((largest_difference(a, b) for a, b in zip(first, second, strict=True)), default=0.0)
    if not isinstance(first, torch.Tensor) or not first.is_floating_point() or not first.numel():
        return 0.0
    return float((first.double().cpu() - second.double().cpu()).abs().max())


# --- two ranks --------------------------------------------------------------------------------------
def _rank(rank: int, port: int, function: Callable[..., Any], arguments: tuple[Any, ...]) -> None:
    torch.set_num_threads(1)
    address = dict(MASTER_ADDR="127.0.0.1", MASTER_PORT=str(port))
    os.environ.update(RANK=str(rank), LOCAL_RANK=str(rank), WORLD_SIZE="2", LOCAL_WORLD_SIZE="2", **address)
    function(*arguments)
    os._exit(0)


def _train_rank(work_dir: Path, changes: dict[str, Any]) -> None:
    run(work_dir, **changes)  # reads nothing: rank 1 may be done before rank 0 has written its checkpoint


def two_ranks(settings: Settings) -> list[Row]:
    """Train in two processes that share the device, by every exchange, against one with the whole batch."""
    from mmcgan.registry import GRADIENT_EXCHANGES

    rows: list[Row] = []
    quiet = {"model.generator": PLAIN, "randomness.deterministic": True}
    names = GRADIENT_EXCHANGES.names()[: 1 if settings.quick else None]
    with tempfile.TemporaryDirectory() as folder:
        # the ranks first: a process that has used CUDA cannot be forked
        for name in names:
            with socket.socket() as probe:
                probe.bind(("127.0.0.1", 0))
                port = probe.getsockname()[1]
            arguments = (Path(folder) / name, {**quiet, "distributed": dict(type=name)})
            context = multiprocessing.get_context("fork")
            ranks = [
                context.Process(target=_rank, args=(rank, port, _train_rank, arguments)) for rank in range(2)
            ]
            for process in ranks:
                process.start()
            for process in ranks:
                process.join(settings.seconds / 8)
                process.kill()
        one = train(Path(folder) / "one", **quiet, **{"train_dataloader.batch_size": 16})

        def check(name: str) -> list[Row]:
            two = load_checkpoint(Path(folder) / name / "iter_6.pth")
            worst = max(largest_difference(one[part], two[part]) for part in PARTS)
            return [close("two ranks, one device", name, worst, 1e-4)]

        for name in names:
            rows += attempt("two ranks, one device", name, lambda name=name: check(name))
    return rows
