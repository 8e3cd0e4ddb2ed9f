"""Keep the statistics of a config's real images: ``tools/reference_stats.py CONFIG --out FILE``."""

from mmcgan.cli import main

if __name__ == "__main__":
    raise SystemExit(main(prefix=["reference-stats"]))
