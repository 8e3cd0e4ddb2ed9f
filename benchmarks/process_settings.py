"""What keeping freed memory and short spinning are worth here: each in processes of its own, in turns.

    python benchmarks/process_settings.py memory [--rounds 3]
    python benchmarks/process_settings.py threads [--rounds 3] [--threads 2] [--busy]

Prints the least wall and processor seconds of a pass, page faults and the peak of resident memory.
``--busy`` runs as many competing processes as there are cores meanwhile.
"""

from __future__ import annotations

import argparse
import ctypes.util
import json
import multiprocessing
import os
import resource
import subprocess
import sys
import time

KEPT = "glibc.malloc.mmap_max=0:glibc.malloc.trim_threshold=1073741824:glibc.malloc.top_pad=67108864"
MEMORY = {
    "glibc as it is": {"MMCGAN_KEEP_MEMORY": "0"},
    "freed memory kept": {},
    "huge pages": {"GLIBC_TUNABLES": "glibc.malloc.hugetlb=1"},
    "kept, huge pages": {"GLIBC_TUNABLES": f"glibc.malloc.hugetlb=1:{KEPT}"},
}
JEMALLOC = {
    "jemalloc": {},
    "jemalloc, kept": {"MALLOC_CONF": "dirty_decay_ms:-1,muzzy_decay_ms:-1"},
}
THREADS = {
    "OpenMP as it is": {"MMCGAN_IDLE_THREADS": "0"},
    "GOMP_SPINCOUNT=10000": {"GOMP_SPINCOUNT": "10000"},
    "GOMP_SPINCOUNT=3000": {"GOMP_SPINCOUNT": "3000"},
    "GOMP_SPINCOUNT=1000": {"GOMP_SPINCOUNT": "1000"},
    "GOMP_SPINCOUNT=300": {"GOMP_SPINCOUNT": "300"},
    "OMP_WAIT_POLICY=passive": {"OMP_WAIT_POLICY": "passive"},
}


def features():
    """Return a function that extracts features of 32 images (EfficientNet-Lite0, random weights, 224 px)."""
    import timm
    import torch

    torch.manual_seed(0)
    network = timm.create_model("efficientnet_lite0").eval().to(memory_format=torch.channels_last)
    image = torch.rand(32, 3, 224, 224).contiguous(memory_format=torch.channels_last)

    @torch.no_grad()
    def run():
        network(image)

    return run


def step(config, batch=64, settings=()):
    """Return a function that makes one training step of a config in float32.

    Args:
        config: its name.
        batch: images of a mini-batch.
        settings: options of the config.
    """
    from mmengine.registry import init_default_scope

    from benchmarks.training_step import make_step

    init_default_scope("mmcgan")
    return make_step(config, batch, dict(settings), precision="float32", channels_last=True, split_d=False)


def wide_step():
    """Return a function that makes one training step of a BigGAN of 96 channels in float32."""
    settings = {
        "model.generator.base_channels": 96,
        "model.discriminator.backbone.base_channels": 96,
        "model.step.n_critic": 1,
    }
    return step("biggan_cifar10-32", 4, settings)


WORK = {
    "features": features,
    "digits": lambda: step("omnigan_biggan_digits-16"),
    "fashion": lambda: step("omnigan_biggan_fashion-mnist-32"),
    "wide": wide_step,
}


def measure(work, passes, threads):
    """Run ``work`` in this process and print what it took as JSON."""
    from mmcgan.process import tune_process

    tune_process()
    import torch

    torch.set_num_threads(threads)
    run = WORK[work]()
    run()
    wall, busy = [], []
    before = resource.getrusage(resource.RUSAGE_SELF)
    for _ in range(passes):
        started, used = time.perf_counter(), time.process_time()
        run()
        wall.append(time.perf_counter() - started)
        busy.append(time.process_time() - used)
    after = resource.getrusage(resource.RUSAGE_SELF)
    wall.sort()
    found = dict(
        wall=wall[0],
        median=wall[len(wall) // 2],
        processor=min(busy),
        system=(after.ru_stime - before.ru_stime) / passes,
        faults=(after.ru_minflt - before.ru_minflt) / passes,
        peak=after.ru_maxrss / 1024,
    )
    print(json.dumps(found))


def compete():
    """Keep one core busy."""
    while True:
        sum(range(100_000))


def main():
    """Start the processes in turns and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("what", choices=("memory", "threads", "one"))
    parser.add_argument("--work", choices=WORK, nargs="+")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--passes", type=int, default=5)
    parser.add_argument("--threads", type=int)
    parser.add_argument("--busy", action="store_true")
    given = parser.parse_args()
    if given.what == "one":
        measure(given.work[0], given.passes, given.threads)
        return
    variants = dict(MEMORY if given.what == "memory" else THREADS)
    library = ctypes.util.find_library("jemalloc")
    if given.what == "memory" and library:
        variants |= {name: {"LD_PRELOAD": library, **settings} for name, settings in JEMALLOC.items()}
    threads = given.threads or (1 if given.what == "memory" else 2)
    rivals = [multiprocessing.Process(target=compete, daemon=True) for _ in range(os.cpu_count() or 1)]
    for rival in rivals if given.busy else ():
        rival.start()
    for work in given.work or (["features", "digits"] if given.what == "memory" else ["digits"]):
        found = {name: [] for name in variants}
        for _ in range(given.rounds):
            for name, environment in variants.items():
                command = [sys.executable, __file__, "one", "--work", work]
                command += ["--passes", str(given.passes), "--threads", str(threads)]
                inherited = {key: value for key, value in os.environ.items() if key != "OMP_NUM_THREADS"}
                folder = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
                path = os.pathsep.join(filter(None, [folder, os.environ.get("PYTHONPATH")]))
                environment = {**inherited, "PYTHONPATH": path, **environment}
                output = subprocess.run(command, env=environment, check=True, stdout=subprocess.PIPE).stdout
                found[name].append(json.loads(output.splitlines()[-1]))
        print(f"{work}, {threads} threads{', competing processes' if given.busy else ''}")
        for name, rows in found.items():
            least = {key: min(row[key] for row in rows) for key in rows[0]}
            print(
                f"  {name:24s} wall {least['wall']:.3f} s (median {least['median']:.3f}), "
                f"processor {least['processor']:.3f} s, system {least['system']:.3f} s, "
                f"{least['faults']:.0f} faults a pass, peak {least['peak']:.0f} MB"
            )


if __name__ == "__main__":
    main()
