"""Weights on the hub: ``mmcgan push-to-hub`` as a script."""

from mmcgan.cli import main

if __name__ == "__main__":
    raise SystemExit(main(prefix=["push-to-hub"]))
