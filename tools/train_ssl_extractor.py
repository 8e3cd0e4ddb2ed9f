"""Train an extractor on unlabelled images: ``tools/train_ssl_extractor.py --images DIR --out FILE``."""

from mmcgan.cli import main

if __name__ == "__main__":
    raise SystemExit(main(prefix=["train-ssl-extractor"]))
