"""Pictures of samples that are broken: named, and left out of the page of a run."""

import zlib

import pytest

from mmcgan.cli import main
from mmcgan.comparison.film import FRAMES, sound_grids
from mmcgan.comparison.report import REPORT
from tests.test_comparison.test_compare import make_grids, make_run


def with_an_impossible_size(content):
    """A picture with far more pixels than Pillow takes, and a good checksum."""
    head = content[12:16] + (60_000).to_bytes(4, "big") * 2 + content[24:29]
    return content[:12] + head + zlib.crc32(head).to_bytes(4, "big") + content[33:]


DAMAGES = {
    "cut": lambda content: content[:60],
    "cut in its head": lambda content: content[:20],
    "empty": lambda content: b"",
    "text": lambda content: b"no picture",
    "a bit turned": lambda content: content[:45] + bytes([content[45] ^ 255]) + content[46:],
    "a checksum": lambda content: content[:30] + bytes([content[30] ^ 255]) + content[31:],
    "its size": with_an_impossible_size,
}


@pytest.fixture(params=DAMAGES)
def damage(request):
    def apply(file):
        file.write_bytes(DAMAGES[request.param](file.read_bytes()))

    return apply


@pytest.fixture
def run(tmp_path):
    return make_grids(make_run(tmp_path / "run"), [40, 40, 40, 40])


def grid(run, number):
    return run / "samples" / f"iter_{number:07d}.png"


def test_a_film_names_it(run, damage, tmp_path, capsys):
    damage(grid(run, 2))
    assert main(["film", str(run), "--out", str(tmp_path / "film.gif")]) == 2
    said = capsys.readouterr().err
    assert f"error: {grid(run, 2)}: " in said and len(said.splitlines()) == 1
    assert not (tmp_path / "film.gif").exists()


@pytest.mark.parametrize(
    ("broken", "newest", "shown"),
    [
        ([2], 3, "3 of 4 pictures, iter_0000000 to iter_0000003"),
        ([3], 2, "3 of 4 pictures, iter_0000000 to iter_0000002"),
        ([0, 2, 3], 1, None),
    ],
)
@pytest.mark.broad  # a walk of ten seconds and more
def test_a_page_leaves_it_out_and_says_so(run, damage, broken, newest, shown, capsys):
    for number in broken:
        damage(grid(run, number))
    assert main(["report", str(run)]) == 0
    said, page = capsys.readouterr().err, (run / REPORT).read_text()
    for number in range(4):
        assert (f"{grid(run, number)}: " in said) == (number in broken)
        assert (f"Left out: {grid(run, number)}: " in page) == (number in broken)
    assert said.count("left out") == len(broken)
    assert f"iter_{newest:07d}: the same latents" in page
    assert shown in page if shown else "pictures, iter" not in page


def test_a_page_whose_grids_are_all_broken(run, damage, capsys):
    for number in range(4):
        damage(grid(run, number))
    assert main(["report", str(run)]) == 0
    assert capsys.readouterr().err.count("left out") == 4
    assert "the same latents" not in (run / REPORT).read_text()


def test_the_newest_that_is_sound_is_shown_of_many(tmp_path):
    run = make_grids(tmp_path, [16])
    for number in range(1, 3 * FRAMES):
        grid(run, number).write_bytes(grid(run, 0).read_bytes())
    files = sorted((run / "samples").glob("*.png"))
    files[-1].write_bytes(b"")
    sound, broken = sound_grids(files)
    assert sound[0] == files[0] and sound[-1] == files[-2]
    assert len(sound) == FRAMES and len(broken) == 1
