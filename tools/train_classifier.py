"""Train a small classifier for evaluation: ``tools/train_classifier.py RECIPE_OR_CONFIG --out FILE``."""

from mmcgan.cli import main

if __name__ == "__main__":
    raise SystemExit(main(prefix=["train-classifier"]))
