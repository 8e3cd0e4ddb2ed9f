"""How a training step grows with ranks: seconds, memory, and what is sent, beside the arithmetic.

    python benchmarks/rank_growth.py [--ranks 1 2] [--pixels 32] [--base 32] [--batch 16] [--rounds 3]

The BigGAN of step_growth.py, the same mini-batch on every rank; ranks of one thread each on this machine,
over gloo, by the default exchange. The arithmetic: the work of a rank stays; the reducer keeps 4 bytes a
trained weight more; an iteration sends 4 bytes a trained weight and the floating-point buffers once.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import resource
import socket
import time
from typing import Any

import torch
from gradient_exchange import Link, hook, over_the_link
from mmengine.registry import init_default_scope
from step_growth import CLASSES, MEBIBYTE, build

from mmcgan.distributed import destroy_process_group, initialize_process_group
from mmcgan.optim.exchange import OverlappedExchange
from mmcgan.registry import MODELS

COLUMNS = (
    *("ranks", "images an iteration", "s a step", "processor s of a rank", "MiB of a rank"),
    *("messages", "MB sent", "MB expected"),
)


def sizes(model: Any) -> tuple[int, int]:
    """Return the bytes of trained weights, and of floating-point buffers."""
    weights = [p for p in model.parameters() if p.requires_grad]
    buffers = [b for b in model.buffers() if b.is_floating_point()]
    return 4 * sum(p.numel() for p in weights), 4 * sum(b.numel() for b in buffers)


def measure(rank: int, ranks: int, given: argparse.Namespace, port: int, answers: Any) -> None:
    """Be one rank; rank 0 answers."""
    os.environ.update(RANK=str(rank), WORLD_SIZE=str(ranks), MASTER_ADDR="127.0.0.1", MASTER_PORT=str(port))
    torch.set_num_threads(1)
    torch.manual_seed(0)
    start = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    initialize_process_group(120)
    link = Link(ranks)
    over_the_link(link)
    model, optimizers = build(given.pixels, given.base)
    for wrapper in optimizers.values():
        wrapper.exchange_by(OverlappedExchange())
        reducer = getattr(wrapper.share, "reducer", None)
        if reducer is not None:
            reducer.register_comm_hook(link, hook)
    image = torch.randint(0, 256, (given.batch, 3, given.pixels, given.pixels), dtype=torch.uint8)
    data = {"image": image, "label": torch.randint(CLASSES, (given.batch,))}
    wall, processor, sent = [], [], []
    for _ in range(given.rounds + 1):
        link.sent = []
        begin, used = time.perf_counter(), time.process_time()
        model.train_step(data, optimizers)
        wall.append(time.perf_counter() - begin)
        processor.append(time.process_time() - used)
        sent = list(link.sent)
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - start) / 1024
    weights, buffers = sizes(model)
    expected = (weights + buffers) / 1e6 if ranks > 1 else 0.0
    if rank == 0:
        answers.put((min(wall[1:]), min(processor[1:]), grown, len(sent), sum(sent) / 1e6, expected, weights))
    destroy_process_group()
    answers.close()
    answers.join_thread()
    os._exit(0)


def run(ranks: int, given: argparse.Namespace) -> Any:
    """Return what rank 0 of ``ranks`` found."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    context = multiprocessing.get_context("fork")
    answers = context.Queue()
    places = [(rank, ranks, given, port, answers) for rank in range(ranks)]
    processes = [context.Process(target=measure, args=place) for place in places]
    for process in processes:
        process.start()
    found = answers.get(timeout=600)
    for process in processes:
        process.join()
    return found


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--ranks", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--pixels", type=int, default=32)
    parser.add_argument("--base", type=int, default=32, help="base channels")
    parser.add_argument("--batch", type=int, default=16, help="images of a mini-batch on each rank")
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    init_default_scope("mmcgan")
    MODELS.import_from_location()
    print(f"| {' | '.join(COLUMNS)} |\n{'|---' * len(COLUMNS)}|")
    for ranks in given.ranks:
        *found, weights = run(ranks, given)
        cells = [str(ranks), str(ranks * given.batch), *(f"{value:.3g}" for value in found)]
        print(f"| {' | '.join(cells)} |", flush=True)
    print(f"\ntrained weights: {weights / MEBIBYTE:.1f} MiB")


if __name__ == "__main__":
    main()
