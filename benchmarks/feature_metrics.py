"""Precision, recall, density and coverage: seconds and memory of mmcgan beside the `prdc` package.

    python benchmarks/feature_metrics.py [--images 10000] [--features 2048] [--threads 2] [--rounds 1]
                                         [--data normal|low-rank] [--only mmcgan|prdc]

Each side runs in its own process, in turn, on the same random features; figures must be equal. Processor
seconds are those of all threads, which tell more than seconds on a machine that is busy with something
else; extra memory is the peak of the process above what it held with torch and the features loaded.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import time
from pathlib import Path

import torch


def features(count, width, data, seed):
    """Return random features: isotropic, or of 30 intrinsic dimensions and not negative."""
    generator = torch.Generator().manual_seed(seed)
    if data == "normal":
        return torch.randn(count, width, generator=generator)
    basis = torch.randn(30, width, generator=torch.Generator().manual_seed(7))
    return (torch.randn(count, 30, generator=generator) @ basis / 5).relu()


def current_bytes():
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize()


def run_one(arguments):
    torch.set_num_threads(arguments.threads)
    real = features(arguments.images, arguments.features, arguments.data, 1)
    fake = features(arguments.images, arguments.features, arguments.data, 2) * 1.02
    if arguments.only == "prdc":
        from prdc import compute_prdc

        pair = real.numpy(), fake.numpy()
        held, start, busy = current_bytes(), time.perf_counter(), time.process_time()
        figures = {key: float(value) for key, value in compute_prdc(*pair, nearest_k=5).items()}
    else:
        from mmcgan.evaluation import prdc

        held, start, busy = current_bytes(), time.perf_counter(), time.process_time()
        figures = prdc(real, fake, 5)
    seconds, busy = time.perf_counter() - start, time.process_time() - busy
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    cost = dict(seconds=seconds, processor_seconds=busy, extra_mb=(peak - held) / 2**20)
    print(json.dumps({**cost, "peak_mb": peak / 2**20, **figures}))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--images", type=int, default=10000)
    parser.add_argument("--features", type=int, default=2048)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--data", choices=("normal", "low-rank"), default="normal")
    parser.add_argument("--only", choices=("mmcgan", "prdc"))
    arguments = parser.parse_args()
    if arguments.only:
        run_one(arguments)
        return
    for _ in range(arguments.rounds):
        for side in ("prdc", "mmcgan"):
            command = [sys.executable, __file__, *sys.argv[1:], "--only", side]
            output = subprocess.run(command, capture_output=True, text=True, check=True).stdout
            print(side, output.splitlines()[-1], flush=True)


if __name__ == "__main__":
    main()
