"""Files of each kind damaged at random: read as if nothing were, or refused in a sentence.

    python -m tests.campaigns.fuzz_readers --images 1000 --checkpoints 1500 --exported 500 --data 500 --seed 0

An image of each format gets a few bytes changed, cut out, doubled or cut off; the reader may return an
image of the right size or raise ``BadImageError``. A checkpoint gets one byte changed, half of them in the
directory of the archive, which decides how the rest is read; it must be read as it was or refused, and
``--resume`` must then take the older file. Exported weights get one byte changed; they must be read as they
were or refused. Arrays, tables, tar shards, logs, records and each table of an instance store get one bit
turned or the damage of an image; they must be read as something that can be, or refused with the file's name.
The status is 1 after anything else.
"""

import argparse
import io
import random
import shutil
import sys
import tempfile
import time
import warnings
from collections import Counter
from pathlib import Path

import torch
from PIL import Image

from mmcgan.checkpoints.files import CheckpointError, load_checkpoint
from mmcgan.datasets.decode import BadImageError, ImageReader
from mmcgan.engine.resume import find_resume_file
from mmcgan.zoo.models import export_weights
from mmcgan.zoo.reading import FORMAT, read_exported
from tests.campaigns.damaged_data import fuzz_data
from tests.test_engine.tiny_run import differences, train

FORMATS = ("PNG", "JPEG", "GIF", "WEBP", "BMP", "TIFF", "PPM")
#: bytes at the end of an archive in which its directory lies
DIRECTORY = 20_000


def mutated(content, draw):
    """Return the bytes of an image with some damage."""
    content = bytearray(content)
    for _ in range(draw.randint(1, 6)):
        if len(content) < 8:
            break
        at = draw.randrange(len(content))
        length = draw.randint(1, 40)
        kind = draw.choice(("byte", "byte", "byte", "cut out", "double", "cut off", "random"))
        _damage(content, kind, at, length, draw)
    return bytes(content)


def _damage(content, kind, at, length, draw):
    changes = {
        "byte": lambda: (at + 1, bytes([draw.randrange(256)])),
        "cut out": lambda: (at + length, b""),
        "double": lambda: (at, bytes(content[at : at + length])),
        "cut off": lambda: (len(content), b""),
        "random": lambda: (at + length, draw.randbytes(length)),
    }
    end, new = changes[kind]()
    content[at:end] = new


def fuzz_images(count, draw, folder):
    """Read so many damaged images; return what happened, by kind."""
    originals = {}
    for form in FORMATS:
        stream = io.BytesIO()
        picture = Image.frombytes("RGB", (40, 30), draw.randbytes(40 * 30 * 3))
        picture.save(stream, form)
        originals[form] = stream.getvalue()
    found = Counter()
    for number in range(count):
        form = FORMATS[number % len(FORMATS)]
        path = folder / f"image.{form.lower()}"
        path.write_bytes(mutated(originals[form], draw))
        try:
            image = ImageReader(16)(path)
            found["read" if image.shape == (3, 16, 16) else "FAULT: another size"] += 1
        except BadImageError:
            found["refused"] += 1
        except Exception as error:  # this is what is looked for
            shutil.copy(path, folder.parent / f"fault_{number}{path.suffix}")
            found[f"FAULT: {type(error).__name__}: {error}"[:200]] += 1
    return found


def one_byte(content, draw, number):
    """Return the content with one byte changed, every second time in the directory at its end."""
    damaged = bytearray(content)
    first = len(content) - min(DIRECTORY, len(content)) if number % 2 else 0
    damaged[draw.randrange(first, len(content))] ^= draw.randrange(1, 256)
    return bytes(damaged)


def fuzz_checkpoints(count, draw, folder):
    """Read so many damaged checkpoints of a run, and look for the file that resume takes."""
    train(folder)  # iter_3.pth and iter_6.pth
    newest, older = folder / "iter_6.pth", folder / "iter_3.pth"
    content, good = newest.read_bytes(), load_checkpoint(newest)
    found = Counter()
    for number in range(count):
        newest.write_bytes(one_byte(content, draw, number))
        try:
            same = differences(good, load_checkpoint(newest)) == []
            outcome = "read as it was" if same else "FAULT: read as something else"
        except CheckpointError:
            outcome = "refused"
        except Exception as error:  # this is what is looked for
            outcome = f"FAULT: {type(error).__name__}: {error}"[:200]
        if outcome == "refused":
            taken, notes = find_resume_file(folder, None)
            if taken != older or not notes:
                outcome = f"FAULT: resume takes {taken}"
        found[outcome] += 1
    return found


def fuzz_exported(count, draw, folder):
    """Read so many damaged files of exported weights."""
    path = folder / "weights.safetensors"
    export_weights(folder / "iter_3.pth", path)
    content = path.read_bytes()
    good, found = read_exported(path, FORMAT), Counter()
    for number in range(count):
        path.write_bytes(one_byte(content, draw, number))
        try:
            read = read_exported(path, FORMAT)
            same = set(read.weights) == set(good.weights) and all(
                torch.equal(value, good.weights[name]) for name, value in read.weights.items()
            )
            found["read" if same else "FAULT: other weights"] += 1
        except ValueError:
            found["refused"] += 1
        except Exception as error:  # this is what is looked for
            found[f"FAULT: {type(error).__name__}: {error}"[:200]] += 1
    return found


def main():
    """Run the campaign; return 1 if something was neither read nor refused."""
    parser = argparse.ArgumentParser(description="read damaged images and checkpoints")
    parser.add_argument("--images", type=int, default=1000)
    parser.add_argument("--checkpoints", type=int, default=1500, help="of runs, one byte each")
    parser.add_argument("--exported", type=int, default=500, help="files of weights, one byte each")
    parser.add_argument("--data", type=int, default=500, help="files of each kind of data")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    draw, faults = random.Random(options.seed), 0
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary) / "files"
        folder.mkdir()
        for name, fuzz, count in (
            ("images", fuzz_images, options.images),
            ("checkpoints", fuzz_checkpoints, options.checkpoints),
            ("exported weights", fuzz_exported, options.exported),
        ):
            began = time.process_time()
            found = fuzz(count, draw, folder)
            faults += sum(number for kind, number in found.items() if kind.startswith("FAULT"))
            print(f"{name}: {count} in {time.process_time() - began:.0f} s of CPU: {dict(found)}", flush=True)
        for kind, found in fuzz_data(options.data, draw, temporary, mutated).items():
            faults += sum(number for outcome, number in found.items() if outcome.startswith("FAULT"))
            print(f"{kind}: {options.data}: {dict(found)}", flush=True)
    return int(faults > 0)


if __name__ == "__main__":
    sys.exit(main())
