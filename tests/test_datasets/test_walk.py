"""What is found in a folder: every image once, and a reason for what is not."""

import os
import shutil

import pytest

from mmcgan.apis.folders import evaluate_folders
from mmcgan.datasets import ImageFolder
from mmcgan.datasets.sets.scan import scan_folder
from mmcgan.datasets.sets.walk import MAX_DEPTH, Walk
from tests.test_datasets.image_files import class_folders, picture, save, truncate
from tests.test_evaluation import stand_ins  # noqa: F401 registers the extractor

COLOURS = dict(type="MeanColour")


@pytest.fixture
def root(tmp_path):
    return class_folders(tmp_path / "images", {"a": 4, "b": 3})


def names(root, labelled=False, **options):
    index = scan_folder(root, labelled, **options)
    return [os.path.relpath(path, root) for path in index.paths], index.left_out


PLAIN = [*(f"a/{i}.png" for i in range(4)), *(f"b/{i}.png" for i in range(3))]


def link_to_the_parent(root):
    (root / "a" / "up").symlink_to(root)


def links_in_a_circle(root):
    (root / "a" / "to-b").symlink_to(root / "b")
    (root / "b" / "to-a").symlink_to(root / "a")


def link_to_itself(root):
    (root / "a" / "self").symlink_to(root / "a")


def link_to_nothing(root):
    (root / "a" / "nothing").symlink_to(root / "nowhere")


def link_to_a_file(root):
    (root / "a" / "9.png").symlink_to(root / "a" / "0.png")


def hard_link(root):
    os.link(root / "a" / "0.png", root / "a" / "9.png")


def apple_double(root):
    (root / "._x.png").write_bytes(b"x")
    (root / "a" / "._0.png").write_bytes(b"x")


def pipe(root):
    os.mkfifo(root / "a" / "pipe.png")


def folder_named_like_an_image(root):
    (root / "a" / "empty.png").mkdir()


def other_files(root):
    (root / "a" / "Thumbs.db").write_bytes(b"x")
    (root / "notes.txt").write_text("x")


ODD = [link_to_the_parent, links_in_a_circle, link_to_itself, link_to_nothing, link_to_a_file, hard_link]
ODD += [apple_double, pipe, folder_named_like_an_image, other_files]


@pytest.mark.parametrize("labelled", [False, True])
@pytest.mark.parametrize("odd", ODD)
def test_every_image_is_found_once(root, odd, labelled):
    odd(root)
    assert names(root, labelled)[0] == PLAIN
    assert len(ImageFolder(str(root), 8, labelled=labelled)) == 7


def test_all_odd_things_together(root):
    for odd in ODD:
        if odd is not hard_link:  # it has the name of another link
            odd(root)
    found, left_out = names(root)
    assert found == PLAIN
    assert left_out.other_suffixes == {".db": 1, ".txt": 1, "without ending": 1}
    for reason in ("the same file as", "not a regular file", "a link to a folder that is read already"):
        assert any(reason in line for line in left_out.reasons), reason


@pytest.mark.parametrize("suffix", [".jfif", ".JPE", ".Jpg", ".avif", ".jp2", ".dib", ".apng", ".mpo"])
def test_endings_that_images_really_have(root, suffix):
    (root / "a" / f"z{suffix}").write_bytes((root / "a" / "0.png").read_bytes())
    assert f"a/z{suffix}" in names(root)[0]


def test_class_folders_named_like_images(tmp_path):
    root = class_folders(tmp_path / "images", {"v1.png": 2, "v2.png": 2})
    index = scan_folder(root, True)
    assert index.classes == ("v1.png", "v2.png") and len(index.paths) == 4


def test_a_file_in_two_classes_counts_in_both(root):
    (root / "b" / "shared.png").symlink_to(root / "a" / "0.png")
    index = scan_folder(root, True)
    assert index.class_counts() == (4, 4)


def test_formats_that_are_not_read_stop_or_are_listed(root):
    (root / "a" / "photo.HEIC").write_bytes(b"x")
    for labelled in (False, True):
        with pytest.raises(ValueError, match=r"photo\.HEIC: it is HEIC, which is not read"):
            scan_folder(root, labelled)
    found, left_out = names(root, skip=True)
    assert found == PLAIN and "photo.HEIC" in left_out.reasons[0]


def test_a_folder_that_cannot_be_read_stops_or_is_listed(root, monkeypatch):
    real = os.scandir

    def forbidden(path):  # the tests may run as root, whom nothing is forbidden
        if os.fspath(path) == str(root / "b"):
            raise PermissionError(13, "Permission denied")
        return real(path)

    monkeypatch.setattr(os, "scandir", forbidden)
    with pytest.raises(ValueError, match=r"/b: the folder cannot be read \(Permission denied\)"):
        scan_folder(root, False)
    found, left_out = names(root, skip=True)
    assert found == PLAIN[:4] and "the folder cannot be read" in left_out.reasons[0]


def test_folders_in_folders_have_an_end(tmp_path):
    folder = tmp_path
    for _ in range(MAX_DEPTH + 2):
        folder = folder / "f"
    save(folder / "x.png")
    walk = Walk()
    assert walk.images(tmp_path) == []
    assert f"more than {MAX_DEPTH} deep" in walk.left_out.reasons[0]


# --- reports ---------------------------------------------------------------------------------------------


@pytest.fixture
def sides(tmp_path):
    for side in ("real", "fake"):
        for number in range(30):
            save(tmp_path / side / f"{number:02d}.png", picture(16, 16, seed=number + 100 * (side == "fake")))
    return tmp_path / "real", tmp_path / "fake"


def test_the_report_counts_what_was_found_read_and_left_out(sides):
    real, fake = sides
    (fake / "30.png").write_bytes(b"nothing")
    truncate(save(fake / "31.png", picture(16, 16)))
    (fake / "32.heic").write_bytes(b"x")
    (fake / "copy.png").symlink_to(fake / "00.png")
    (fake / "notes.txt").write_text("x")
    images = evaluate_folders(real, fake, COLOURS, on_error="skip")["images"]
    assert images["real"] == dict(found=30, read=30, left_out=0, reasons=[], other_files={})
    assert (images["fake"]["found"], images["fake"]["read"], images["fake"]["left_out"]) == (33, 30, 4)
    assert images["fake"]["other_files"] == {".txt": 1}
    for name, reason in (
        ("30", "unreadable"),
        ("31", "truncated"),
        ("32", "HEIC"),
        ("copy", "the same file"),
    ):
        assert any(f"{name}." in line and reason in line for line in images["fake"]["reasons"])


@pytest.mark.parametrize("on_error", ["stop", "skip"])
@pytest.mark.parametrize("first", [True, False])
def test_good_images_of_another_size_are_never_left_out(sides, on_error, first):
    real, fake = sides
    save(fake / ("000.png" if first else "999.png"), picture(8, 8))
    with pytest.raises(ValueError, match=r"the image is 8x8 .*expected 16x16.* has 30 of 16x16, 1 of 8x8"):
        evaluate_folders(real, fake, COLOURS, on_error=on_error)
    assert evaluate_folders(real, fake, COLOURS, on_error=on_error, image_size=16)["generated_images"] == 31


def test_sides_of_different_sizes_are_warned_of(sides, tmp_path):
    real, _ = sides
    for number in range(30):
        save(tmp_path / "small" / f"{number}.png", picture(8, 8, seed=number))
    report = evaluate_folders(real, tmp_path / "small", COLOURS)
    assert "16 pixels a side, those to judge 8" in report["warnings"][0]
    assert evaluate_folders(*sides, COLOURS)["warnings"] == []


@pytest.mark.parametrize("given", [dict(image_size=0), dict(image_size=-3), dict(batch_size=0)])
def test_numbers_that_cannot_be_are_refused(sides, given):
    with pytest.raises(ValueError, match=r"got (0|-3)"):
        evaluate_folders(*sides, COLOURS, **given)


def test_names_that_are_no_utf8(sides, tmp_path, capsys):
    from mmcgan.cli import main

    real, fake = sides
    shutil.copy(fake / "00.png", os.fsencode(fake) + b"/caf\xe9.png")
    with open(os.fsencode(fake) + b"/\xff\xfe.png", "wb") as stream:
        stream.write(b"nothing")
    command = ["evaluate-folders", str(real), str(fake), "--extractor", "digits-16", "--on-error", "skip"]
    assert main([*command, "--json", str(tmp_path / "report.json")]) == 0
    assert "\\xff\\xfe.png" in capsys.readouterr().out
