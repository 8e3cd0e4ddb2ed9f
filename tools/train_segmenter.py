"""Train a segmentation network for evaluation: ``tools/train_segmenter.py RECIPE_OR_CONFIG --out FILE``."""

from mmcgan.cli import main

if __name__ == "__main__":
    raise SystemExit(main(prefix=["train-segmenter"]))
