"""Exact k-NN and k-means of mmcgan beside faiss, on the same features, in one run.

Without --precision mmcgan takes what it takes by itself: its own bfloat16 products where they are fast, else
faiss, whose candidates it ranks exactly.

    python benchmarks/nearest_neighbours.py --rows 100000 --dim 2048 --k 50

Prints wall and processor seconds of both, their ratio, and whether the results agree. Features are made up:
clusters of rectified normal values, L2-normalised, like pooled features of a classifier.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from typing import Any

import faiss
import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import normalize

from mmcgan.instances.kmeans import kmeans
from mmcgan.instances.neighbours import NeighbourSearch, TensorRows


def make_features(rows: int, dim: int, seed: int = 0) -> Tensor:
    """Return unit vectors, float32 (rows, dim)."""
    generator = torch.Generator().manual_seed(seed)
    centres = torch.randn(max(1, rows // 100), dim, generator=generator)
    table = torch.empty(rows, dim)
    for start in range(0, rows, 4096):
        part = table[start : start + 4096]
        chosen = torch.randint(len(centres), (len(part),), generator=generator)
        part.copy_(normalize((centres[chosen] + 1.5 * torch.randn(part.shape, generator=generator)).relu_()))
    return table


def timed(work: Callable[[], Any]) -> tuple[Any, float, float]:
    """Return the result of ``work``, its wall seconds and its processor seconds."""
    wall, processor = time.perf_counter(), time.process_time()
    result = work()
    return result, time.perf_counter() - wall, time.process_time() - processor


def report(what: str, ours: tuple[float, float], theirs: tuple[float, float]) -> None:
    """Print one line of times."""
    print(
        f"{what}: mmcgan {ours[0]:.1f} s ({ours[1]:.1f} s CPU), faiss {theirs[0]:.1f} s ({theirs[1]:.1f} s "
        f"CPU): {theirs[0] / ours[0]:.2f}x by the clock, {theirs[1] / ours[1]:.2f}x by CPU time"
    )


def compare_neighbours(table: Tensor, k: int, memory: int, queries: int, precision: str | None) -> None:
    """Search with both; compare the similarities of what they found.

    faiss searches for the first ``queries`` images among all; its time is scaled to all of them.
    """
    rows, dim = table.shape
    found, *ours = timed(lambda: NeighbourSearch(TensorRows(table), k, memory, precision).search(0, rows))

    def search_faiss() -> tuple[np.ndarray, np.ndarray]:
        index = faiss.IndexFlatIP(dim)
        index.add(table.numpy())
        return index.search(table[:queries].numpy(), k + 1)

    (similarity, near), *theirs = timed(search_faiss)
    theirs = [seconds * rows / queries for seconds in theirs]
    own = near == np.arange(queries)[:, None]
    own[:, -1] |= ~own.any(axis=1)  # an exact copy may have pushed the image itself out
    near, similarity = near[~own].reshape(queries, k), similarity[~own].reshape(queries, k)
    scaled = f" (faiss scaled from {queries} queries)" if queries < rows else ""
    report(f"k-NN {rows} x {dim}, k = {k}{scaled}", tuple(ours), tuple(theirs))  # type: ignore[arg-type]
    ours_index = found.index[:queries].numpy()
    hits = sum(len(np.intersect1d(a, b)) for a, b in zip(ours_index, near, strict=True))
    # where two images are equally near up to rounding, either is right
    worse = float((similarity - found.similarity[:queries].numpy()).max())
    print(
        f"  agreement {hits / near.size:.6f}; largest amount by which faiss is nearer: {worse:.1e}; "
        f"{found.uncertified} rows were searched again in float64"
    )


def compare_kmeans(table: Tensor, clusters: int, iterations: int) -> None:
    """Cluster with both; compare the objective on the same points."""
    rows, dim = table.shape
    ours, *own_time = timed(lambda: kmeans(TensorRows(table), clusters, iterations, memory=1 << 34))
    theirs = faiss.Kmeans(dim, clusters, niter=iterations, seed=1)
    _, *faiss_time = timed(lambda: theirs.train(table.numpy()))
    report(f"k-means {rows} x {dim}, {clusters} centroids", tuple(own_time), tuple(faiss_time))  # type: ignore[arg-type]
    own, other = (objective(table, c) for c in (ours.centroids, torch.from_numpy(theirs.centroids)))
    print(f"  objective {own:.1f} beside {other:.1f}: {own / other:.4f}")


def objective(table: Tensor, centroids: Tensor) -> float:
    """Return the sum of squared distances to the nearest centroid."""
    return sum(float(torch.cdist(part, centroids).amin(1).square().sum()) for part in table.split(8192))


def main() -> None:
    """Run the comparisons that are asked for."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", type=int, default=20000)
    parser.add_argument("--dim", type=int, default=2048)
    parser.add_argument("--k", type=int, default=50, help="0 for no search (default: %(default)s)")
    parser.add_argument("--queries", type=int, help="let faiss search for so many images only")
    parser.add_argument("--clusters", type=int, default=0, help="also compare k-means with this many")
    parser.add_argument("--iterations", type=int, default=25, help="of k-means")
    parser.add_argument("--memory", type=float, default=1.4, help="GB for the search (default: %(default)s)")
    parser.add_argument("--precision", choices=("bfloat16", "float32"), help="own search, or that by faiss")
    parser.add_argument("--threads", type=int, default=2)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    faiss.omp_set_num_threads(arguments.threads)
    table = make_features(arguments.rows, arguments.dim)
    if arguments.k:
        queries = min(arguments.queries or arguments.rows, arguments.rows)
        compare_neighbours(table, arguments.k, int(arguments.memory * 2**30), queries, arguments.precision)
    if arguments.clusters:
        compare_kmeans(table, arguments.clusters, arguments.iterations)


if __name__ == "__main__":
    main()
