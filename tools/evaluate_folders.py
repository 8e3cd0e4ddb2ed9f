"""Evaluate a folder of images without a model: ``mmcgan evaluate-folders`` as a script."""

from mmcgan.cli import main

if __name__ == "__main__":
    raise SystemExit(main(prefix=["evaluate-folders"]))
