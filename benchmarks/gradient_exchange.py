"""What ranks send in one training step, and how long it takes by each exchange, over links of given speed.

    python benchmarks/gradient_exchange.py [CONFIG] [--batch 8] [--gigabits 0.5 2 0] [--repeats 5]

Two ranks of one thread each on this machine, over gloo. A slow network is imitated: a message of B bytes
keeps the (one) link of its rank busy for 2 (N - 1) / N * B / speed, what a ring all-reduce sends, while the
processor goes on; 0 stands for the bare loopback. The exchanges take turns; the figure is the fastest step.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import queue
import socket
import threading
import time
from collections.abc import Callable
from typing import Any

import torch
import torch.distributed as torch_dist
from mmengine.registry import init_default_scope
from torch.futures import Future

from mmcgan.config import load_config, parse_options
from mmcgan.distributed import destroy_process_group, initialize_process_group
from mmcgan.optim.exchange import FlatExchange, GradientExchange, OverlappedExchange
from mmcgan.registry import MODELS, OPTIM_WRAPPER_CONSTRUCTORS

EXCHANGES: dict[str, Callable[[], GradientExchange]] = {
    "flat": FlatExchange,
    "overlapped, 4 MiB": lambda: OverlappedExchange(4),
    "overlapped, 25 MiB": lambda: OverlappedExchange(25),
}


class Link:
    """A network card: messages leave one after the other, beside what the processor does."""

    def __init__(self, ranks: int) -> None:
        self.seconds_per_byte, self.share = 0.0, 2 * (ranks - 1) / ranks
        self.sent: list[int] = []
        self._waiting: queue.Queue[tuple[float, Future[None]]] = queue.Queue()
        threading.Thread(target=self._work, daemon=True).start()

    def send(self, size: int) -> Future[None]:
        """Return what is done when ``size`` bytes have been exchanged."""
        self.sent.append(size)
        done: Future[None] = Future()
        self._waiting.put((size * self.share * self.seconds_per_byte, done))
        return done

    def _work(self) -> None:
        while True:
            seconds, done = self._waiting.get()
            time.sleep(seconds)
            done.set_result(None)


def over_the_link(link: Link) -> Callable[[], None]:
    """Let every all-reduce that Python starts take its time on ``link``; return what undoes it."""
    bare = torch_dist.all_reduce

    def slow(tensor: torch.Tensor, *arguments: Any, **options: Any) -> Any:
        work = bare(tensor, *arguments, **options)
        if not options.get("async_op"):
            link.send(tensor.nbytes).wait()
        return work

    torch_dist.all_reduce = slow
    return lambda: setattr(torch_dist, "all_reduce", bare)


def hook(link, bucket):  # torch wants no annotations that are text
    """Average one bucket of torch's reducer over ranks and over ``link``."""
    buffer = bucket.buffer().div_(torch_dist.get_world_size())
    reduced = torch_dist.all_reduce(buffer, async_op=True).get_future()
    both = torch.futures.collect_all([reduced, link.send(buffer.nbytes)])
    return both.then(lambda _: buffer)


def build(name: str, batch: int, options: dict[str, Any]) -> tuple[Any, Any, dict[str, torch.Tensor]]:
    """Return the model of a config, its optimisers and a batch of noise."""
    config = load_config(name, {"optim_wrapper.precision": "float32", **options})
    torch.manual_seed(0)
    model = MODELS.build(config.model)
    optimizers = OPTIM_WRAPPER_CONSTRUCTORS.get(config.optim_wrapper.pop("constructor"))(
        config.optim_wrapper
    )(model)
    images, size = batch * model.step.real_mini_batches, model.generator.image_size
    label = torch.randint(0, model.generator.num_classes, (images,))
    return model, optimizers, {"image": torch.randint(0, 256, (images, 3, size, size)).byte(), "label": label}


def measure(rank: int, given: argparse.Namespace, port: int, answers: Any) -> None:
    """Be one rank."""
    os.environ.update(RANK=str(rank), WORLD_SIZE="2", MASTER_ADDR="127.0.0.1", MASTER_PORT=str(port))
    torch.set_num_threads(1)
    init_default_scope("mmcgan")
    initialize_process_group(120)
    link = Link(2)
    undo = over_the_link(link)
    steps: dict[str, Callable[[], Any]] = {}
    for name, make in EXCHANGES.items():
        model, optimizers, data = build(given.config, given.batch, parse_options(given.cfg_options))
        for wrapper in optimizers.values():
            wrapper.exchange_by(make())
            reducer = getattr(wrapper.share, "reducer", None)
            if reducer is not None:
                reducer.register_comm_hook(link, hook)
        steps[name] = lambda model=model, data=data, optimizers=optimizers: model.train_step(data, optimizers)
        steps[name]()
    for gigabits in given.gigabits:
        link.seconds_per_byte = 8e-9 / gigabits if gigabits else 0.0
        for name, step in [item for _ in range(given.repeats) for item in steps.items()]:
            torch_dist.barrier()
            link.sent, begin = [], time.perf_counter()
            step()
            seconds = time.perf_counter() - begin
            if rank == 0:
                answers.put((gigabits, name, seconds, list(link.sent)))
    undo()
    destroy_process_group()
    answers.put(None)
    answers.close()
    answers.join_thread()
    os._exit(0)


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("config", nargs="?", default="omnigan_biggan_fashion-mnist-32")
    parser.add_argument("--batch", type=int, default=8, help="images of a mini-batch on each rank")
    parser.add_argument(
        "--gigabits", type=float, nargs="+", default=[0.0, 2.0, 0.5], help="speeds of the link"
    )
    parser.add_argument("--cfg-options", nargs="+", default=[], metavar="KEY=VALUE")
    parser.add_argument("--repeats", type=int, default=5)
    given = parser.parse_args()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    context = multiprocessing.get_context("fork")
    answers = context.Queue()
    processes = [context.Process(target=measure, args=(rank, given, port, answers)) for rank in range(2)]
    for process in processes:
        process.start()
    found: dict[tuple[float, str], list[tuple[float, list[int]]]] = {}
    for _ in processes:
        while (answer := answers.get(timeout=600)) is not None:
            found.setdefault(answer[:2], []).append(answer[2:])
    print("| link | exchange | messages | MB sent for | fastest step (s) | of flat |")
    print("|---|---|---|---|---|---|")
    for (gigabits, name), rows in found.items():
        best, flat = min(rows)[0], min(found[gigabits, "flat"])[0]
        sent, link = rows[0][1], f"{gigabits:g} Gb/s" if gigabits else "loopback"
        print(f"| {link} | {name} | {len(sent)} | {sum(sent) / 1e6:.1f} | {best:.3f} | {best / flat:.2f} |")


if __name__ == "__main__":
    main()
