"""Pack a data set for fast reading: ``mmcgan pack-dataset`` as a script."""

from mmcgan.cli import main

if __name__ == "__main__":
    raise SystemExit(main(prefix=["pack-dataset"]))
