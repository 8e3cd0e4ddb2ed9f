"""List the images of COCO-Stuff's splits: ``tools/coco_stuff_split.py --annotations DIR --out DIR``."""

from mmcgan.cli import main

if __name__ == "__main__":
    raise SystemExit(main(prefix=["coco-stuff-split"]))
