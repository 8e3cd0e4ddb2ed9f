"""Seconds and agreement of the Fréchet distance beside scipy's matrix root.

    python benchmarks/frechet.py [--features 2048] [--threads 2]

Well-conditioned (four times as many images as features), badly conditioned (eigenvalues over 8 decades)
and rank-deficient (half as many images as features) covariances. scipy's root of a singular product is
good to a few digits only; there the exact figure, from the vectors themselves, is printed too.
"""

from __future__ import annotations

import argparse
import time

import numpy as np
import scipy.linalg
import torch

from mmcgan.evaluation import feature_frechet_distance, frechet_distance


def features(kind, count, width, seed):
    generator = torch.Generator().manual_seed(seed)
    points = torch.randn(count, width, generator=generator, dtype=torch.float64)
    return points * torch.logspace(0, -4, width, dtype=torch.float64) if kind == "ill" else points


def timed(function):
    start, busy = time.perf_counter(), time.process_time()
    value = function()
    return value, time.perf_counter() - start, time.process_time() - busy


def scipy_distance(mean1, cov1, mean2, cov2):
    root = scipy.linalg.sqrtm(cov1.numpy() @ cov2.numpy())
    return float((mean1 - mean2).square().sum() + cov1.trace() + cov2.trace() - 2 * np.trace(root).real)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--features", type=int, default=2048)
    parser.add_argument("--threads", type=int, default=2)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    width = arguments.features
    for kind, count in (("well", 4 * width), ("ill", 4 * width), ("rank-deficient", width // 2)):
        pair = [features(kind, count, width, seed) * (1 + 0.1 * seed) for seed in (0, 1)]
        statistics = [value for x in pair for value in (x.mean(0), torch.cov(x.T))]
        ours, seconds, busy = timed(lambda value=statistics: frechet_distance(*value))
        print(f"{kind}: mmcgan {ours:.9g} in {seconds:.2f} s ({busy:.2f} processor s)", flush=True)
        if kind == "rank-deficient":
            print(f"  from the vectors {feature_frechet_distance(*pair):.9g}", flush=True)
        theirs, seconds, busy = timed(lambda value=statistics: scipy_distance(*value))
        print(f"  scipy {theirs:.9g} in {seconds:.2f} s ({busy:.2f} processor s)", flush=True)


if __name__ == "__main__":
    main()
