"""How fast and how large: images per second beside the bare products of the same step, memory per batch."""

from __future__ import annotations

import resource
import statistics
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

import torch
from mmengine.device import get_device
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import flop_registry

from mmcgan.config import load_config
from mmcgan.registry import MODELS, OPTIM_WRAPPER_CONSTRUCTORS
from tools.dev.device.isolate import Row, Settings, attempt

# config, images of a mini-batch on CUDA and on a CPU
REPRESENTATIVE = {
    "omnigan_biggan_digits-16": (256, 32),
    "omnigan_biggan_fashion-mnist-32": (256, 16),
    "biggan_cifar10-32": (64, 4),
    "reacgan_biggan_tiny-imagenet-64": (64, 2),
    "biggan_imagenet-128": (32, 1),
    "r3gan_ffhq-256": (16, 1),
}
QUICK = ("omnigan_biggan_digits-16",)
MEMORY_CONFIG = "omnigan_biggan_fashion-mnist-32"
# the products that a network consists of
PRODUCTS = ("convolution", "convolution_backward", "mm", "addmm", "bmm", "baddbmm")
Step = Callable[[], Any]


def make_step(name: str, images: int, device: str, precision: str = "auto") -> Step:
    """Return a function that runs one training step of a config on noise."""
    config = load_config(
        name, {"model.data_preprocessor.channels_last": True, "optim_wrapper.precision": precision}
    )
    torch.manual_seed(0)
    model = MODELS.build(config.model).to(device)
    constructor = OPTIM_WRAPPER_CONSTRUCTORS.get(config.optim_wrapper.pop("constructor"))
    optimizers = constructor(config.optim_wrapper)(model)
    count, size = images * model.step.real_mini_batches, model.generator.image_size
    data = {"image": torch.randint(0, 256, (count, 3, size, size), dtype=torch.uint8)}
    if model.generator.num_classes:
        data["label"] = torch.randint(0, model.generator.num_classes, (count,))
    return lambda: model.train_step(data, optimizers)


def wait() -> None:
    """Wait until the device has done what it was asked."""
    if torch.cuda.is_available():
        torch.cuda.synchronize()


def seconds_of(step: Step, repeats: int) -> float:
    """Return the median time of ``step``, after one that does not count.

    Without a CUDA device it is the processor's time: others work on such machines, too.
    """
    clock = time.perf_counter if torch.cuda.is_available() else time.process_time
    times = []
    for _ in range(repeats + 1):
        wait()
        begin = clock()
        step()
        wait()
        times.append(clock() - begin)
    return statistics.median(times[1:])


class Products(TorchDispatchMode):
    """Notes every convolution and matrix product with the shapes and layouts of its arguments."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: Counter[Any] = Counter()
        self.flops = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Note ``func`` if it is a product, and do it."""
        if func._schema.name.removeprefix("aten::") in PRODUCTS:
            self.seen[func, tuple(_described(value) for value in args)] += 1
        result = func(*args, **(kwargs or {}))
        # torch's own mode would follow modules, which it cannot inside of a penalty's gradient
        count = flop_registry.get(func._overloadpacket)
        self.flops += count(*args, **(kwargs or {}), out_val=result) if count else 0
        return result


def _described(value: Any) -> Any:
    if isinstance(value, torch.Tensor):
        return ("tensor", tuple(value.shape), tuple(value.stride()), value.dtype, value.device)
    return tuple(value) if isinstance(value, list) else value


def _made(description: Any) -> Any:
    if isinstance(description, tuple) and description[:1] == ("tensor",):
        _, shape, stride, dtype, device = description
        if 0 in stride:  # expanded: filled before it is spread
            spread = [1 if step == 0 else size for size, step in zip(shape, stride, strict=True)]
            return torch.randn(spread, device=device).to(dtype).expand(shape)
        return torch.empty_strided(shape, stride, dtype=dtype, device=device).normal_()
    return list(description) if isinstance(description, tuple) else description


def bare_seconds(products: Counter[Any], repeats: int) -> float:
    """Return how long the same products take by themselves, each as often as the step does it."""
    total = 0.0
    for (function, descriptions), count in products.items():
        arguments = [_made(description) for description in descriptions]
        total += count * seconds_of(lambda f=function, a=arguments: f(*a), repeats)
    return total


def throughput(settings: Settings) -> list[Row]:
    """Return images per second of the representative configs beside those of their bare products."""
    rows, repeats = [], 5 if settings.device == "cuda" and not settings.quick else 1
    for name in QUICK if settings.quick else REPRESENTATIVE:
        images = 4 if settings.quick else REPRESENTATIVE[name][settings.device == "cpu"]

        def measure(name: str = name, images: int = images) -> list[Row]:
            step = make_step(name, images, get_device())
            seconds = seconds_of(step, repeats)
            with Products() as products:
                step()
            bare = bare_seconds(products.seen, repeats)
            figures = {
                "images/s": images / seconds,
                "bare images/s": images / bare,
                "time over bare": seconds / bare,
                "GFLOP/s": products.flops / seconds / 1e9,
            }
            return [Row("speed", f"{name}, {images} images", "figure", figures)]

        rows += attempt("speed", name, measure)
    return rows


def memory(settings: Settings) -> list[Row]:
    """Return the largest memory of a step by batch size, up to 1,024 images or what fits."""
    rows, images = [], 1
    while images <= (2 if settings.quick else 1024):
        found = attempt("memory", f"{images} images", lambda: [_memory_of(images, settings.device)])  # noqa: B023
        rows += found
        if found[0].status == "fail":
            break
        images *= 2 if settings.quick else 4
    return rows


def _memory_of(images: int, device: str) -> Row:
    step = make_step(MEMORY_CONFIG, images, get_device())
    if device == "cuda":
        torch.cuda.reset_peak_memory_stats()
    step()
    step()
    if device == "cuda":
        return Row("memory", f"{images} images", "figure", {"MiB": torch.cuda.max_memory_allocated() / 2**20})
    resident = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return Row("memory", f"{images} images", "figure", {"MiB (whole process)": resident})
