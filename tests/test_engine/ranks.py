"""Ranks as forks of the test process: they import nothing anew, so that a run of two costs a second."""

from __future__ import annotations

import multiprocessing
import os
import socket
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch


def free_port() -> int:
    """Return a port that nobody listened at a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def run_ranks(function: Callable[..., Any], folder: Path, *arguments: Any, ranks: int = 2) -> list[Any]:
    """Return what ``function(rank, *arguments)`` returned on every rank, or raised, as text.

    The function finds the environment of a launcher and joins the group itself.
    """
    folder.mkdir(parents=True, exist_ok=True)
    port, context = free_port(), multiprocessing.get_context("fork")
    processes = [
        context.Process(target=_child, args=(function, folder, rank, ranks, port, arguments))
        for rank in range(ranks)
    ]
    for process in processes:
        process.start()
    for process in processes:
        process.join(120)
        if process.is_alive():
            process.kill()
    return [torch.load(folder / f"answer_{rank}.pt", weights_only=False) for rank in range(ranks)]


def _child(
    function: Callable[..., Any], folder: Path, rank: int, ranks: int, port: int, arguments: tuple[Any, ...]
) -> None:
    torch.set_num_threads(1)
    os.environ.update(
        RANK=str(rank),
        WORLD_SIZE=str(ranks),
        LOCAL_RANK=str(rank),
        MASTER_ADDR="127.0.0.1",
        MASTER_PORT=str(port),
    )
    try:
        answer = function(rank, *arguments)
    except Exception as error:
        answer = f"{type(error).__name__}: {error}\n{traceback.format_exc()}"
    torch.save(answer, folder / f"answer_{rank}.pt")
    os._exit(0)  # the parent's atexit handlers are not this process's to run
