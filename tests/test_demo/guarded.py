"""In a process of its own: what each tab does with good and bad uploads, under an audit hook.

    python -m tests.test_demo.guarded FOLDER

Every request is made once before, so that libraries are loaded; then again while the hook notes every file
that is opened outside the page's folder and the code, every program and every connection. Prints what it
noted.
"""

import sys
from contextlib import suppress
from pathlib import Path

from PIL import Image

from mmcgan.demo.studio import Studio, load_models
from mmcgan.demo.tabs import any_size, mix, more_like_this, paint, restore, sample
from tests.test_demo.test_tabs import DIGITS, ICGAN, INR, SPADE, hostile_uploads
from tests.test_trust.guard import Guard


def requests(studio, uploads):
    """Make one request of each tab, and send every bad upload to the tabs that take one."""
    digits, icgan, spade = (studio.model(name) for name in (DIGITS, ICGAN, SPADE))
    photo = str(uploads / "photo.png")
    with studio.working("a"):
        sample.make(studio, digits, ["3"], 2, 0, 0, 0)
        mix.make(studio, digits, mix.BOTH, "1", "4", 2, 0, None, None)
        more_like_this.make(studio, icgan, photo, None, 1, 0, 0)
        any_size.make(studio, studio.model(INR), "3", 5, 5, 0, 0)
        paint.make(studio, spade, {"composite": paint.held_out_drawing(spade, 3), "layers": []}, 0)
        restore.make(studio, digits, photo, "enlarge", None, True, 0.01, 1, 0)
    for file, _ in hostile_uploads(uploads):
        with suppress(ValueError, OSError):
            more_like_this.make(studio, icgan, str(file), None, 1, 0, 0)
        with suppress(ValueError, OSError):
            restore.make(studio, digits, str(file), "enlarge", None, True, 0.01, 1, 0)


def main(folder):
    """Run, and print what was noted."""
    uploads = Path(folder) / "uploads"
    uploads.mkdir(parents=True)
    Image.effect_noise((24, 24), 80).convert("RGB").save(uploads / "photo.png")
    studio = Studio(load_models([DIGITS, ICGAN, INR, SPADE]), Path(folder) / "page")
    requests(studio, uploads)
    guard = Guard(folder)
    guard.active = True
    requests(studio, uploads)
    open("/etc/hostname").close()  # to see that the hook sees
    guard.active = False
    for event, what in guard.violations:
        print(event, what)


if __name__ == "__main__":
    main(sys.argv[1])
