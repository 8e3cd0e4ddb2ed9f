"""Make an instance store: ``tools/prepare_instances.py --images DIR --extractor NAME --out STORE``."""

from mmcgan.cli import main

if __name__ == "__main__":
    raise SystemExit(main(prefix=["prepare-instances"]))
