"""Restore images with a generator as the prior: ``mmcgan restore`` as a script."""

from mmcgan.cli import main

if __name__ == "__main__":
    raise SystemExit(main(prefix=["restore"]))
