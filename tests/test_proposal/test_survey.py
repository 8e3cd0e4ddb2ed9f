"""What is said of a folder is what is in it."""

import io

import numpy as np
import pytest
from PIL import Image
from sklearn.datasets import load_sample_images

from mmcgan.cli import main
from mmcgan.proposal.preview import preview
from mmcgan.proposal.survey import survey


def picture(seed, size=(40, 30)):
    levels = np.random.default_rng(seed).integers(0, 256, (5, 5, 3)).astype(np.uint8)
    return Image.fromarray(levels).resize(size, Image.Resampling.BICUBIC)


@pytest.fixture
def photos(tmp_path):
    """Two classes, 12 and 4 images, of which two are copies in another size and format."""
    root = tmp_path / "photos"
    for number, (name, count) in enumerate([("cats", 12), ("dogs", 4)]):
        (root / name).mkdir(parents=True)
        for copy in range(count):
            picture(100 * number + copy).save(root / name / f"{copy}.png")
    for copy in range(2):
        picture(copy).resize((80, 60)).save(root / "cats" / f"again{copy}.jpg", quality=92)
    return root


def test_classes_sizes_and_copies_are_counted(photos):
    seen = survey(photos)
    assert seen.classes == {"cats": 14, "dogs": 4} and seen.imbalance == 3.5
    assert seen.count == seen.looked_at == 18 and seen.duplicates == 2
    assert seen.shorter_sides == (30, 30, 60) and seen.square == 0 and seen.gray == 0
    assert any("3.5 times" in line for line in seen.lines())


def test_flat_pictures_of_other_colours_are_no_copies(tmp_path):
    for number in range(12):
        Image.new("RGB", (16, 16), (20 * number, 0, 90)).save(tmp_path / f"{number}.png")
    Image.new("RGB", (32, 32), (40, 0, 90)).save(tmp_path / "again.png")
    assert survey(tmp_path).duplicates == 1


def test_every_conversion_is_named(tmp_path):
    Image.new("RGBA", (8, 8), (9, 9, 200, 40)).save(tmp_path / "clear.png")
    Image.new("L", (8, 8), 7).save(tmp_path / "gray.png")
    Image.new("RGB", (8, 8), (200, 3, 3)).convert("P").save(tmp_path / "palette.png")
    Image.fromarray(np.full((8, 8), 40_000, np.uint16)).save(tmp_path / "deep.png")
    Image.new("CMYK", (8, 8)).save(tmp_path / "print.jpg")
    Image.new("LAB", (8, 8)).save(tmp_path / "press.tif")
    picture(1).save(tmp_path / "film.gif", save_all=True, append_images=[picture(2), picture(3)])
    turned = Image.Exif()
    turned[0x0112] = 6
    picture(4).save(tmp_path / "phone.jpg", exif=turned)
    said = survey(tmp_path).conversions
    words = dict(gray=2, palette=2, CMYK=1, LAB=1, transparency=1, several=1, upright=1)
    for word, number in {**words, "16 bits": 1}.items():
        assert [found for phrase, found in said.items() if word in phrase] == [number], word


def copies(image):
    """Return an image as people have it twice."""
    half = image.resize((image.width // 2, image.height // 2), Image.Resampling.BICUBIC)
    lighter = Image.fromarray(np.clip(np.asarray(image) * 1.03, 0, 255).astype(np.uint8))
    for copy, kind, options in (
        (half, "PNG", {}),
        (image, "JPEG", {"quality": 40}),
        (image, "WEBP", {"quality": 40}),
        (lighter, "PNG", {}),
    ):
        file = io.BytesIO()
        copy.save(file, kind, **options)
        yield Image.open(file).convert("RGB")


def test_copies_of_photographs_are_found_and_named_and_other_parts_of_them_are_not(tmp_path):
    found, generator = [], np.random.default_rng(0)
    whole = [Image.fromarray(levels) for levels in load_sample_images().images]
    for number in range(24):
        left, top = (int(generator.integers(0, side)) for side in (340, 127))
        part = whole[number % 2].crop((left, top, left + 300, top + 300)).resize((128, 128))
        if number < 12:  # others are other parts of the same two photographs
            found += [part, *copies(part)]
        else:
            found.append(part)
    for number, image in enumerate(found):
        image.save(tmp_path / f"{number:03d}.png")
    seen = survey(tmp_path)
    assert seen.count == 72 and 45 <= seen.duplicates <= 51
    assert any("001.png and " in line and "000.png" in line for line in seen.lines())


def test_photographs_of_a_telephone_are_named_and_the_others_are_shown(tmp_path, capsys):
    """HEIC is what most telephones save: the preview says so; training and ``new`` stop before they begin."""
    photos = tmp_path / "photos"
    photos.mkdir()
    for number in range(10):
        picture(number).save(photos / f"{number}.png")
    for number in range(12):
        (photos / f"IMG_{number}.heic").write_bytes(b"ftypheic")
    assert main(["preview", str(photos), "--out", str(tmp_path / "p.png")]) == 0
    said = capsys.readouterr().out
    assert "IMG_0.heic: it is HEIC, which is not read: convert it" in said and "left out: 2 more" in said
    assert main(["new", str(photos), "--out", str(tmp_path / "gan")]) != 0
    assert "12 files or folders cannot be read, and training would stop" in capsys.readouterr().err
    assert not (tmp_path / "gan").exists()


def test_a_folder_without_classes_says_why_and_what_cannot_be_read(tmp_path):
    picture(1).save(tmp_path / "one.png")
    (tmp_path / "two.png").write_bytes(b"no picture")
    seen = survey(tmp_path)
    assert seen.classes is None and "no class folders" in seen.why_unlabelled
    assert len(seen.unreadable) == 1 and "two.png" in seen.unreadable[0]


def test_folders_are_no_classes_where_the_user_says_so(photos):
    assert survey(photos, labelled=False).classes is None


def test_only_some_of_many_images_are_decoded_and_always_the_same(photos):
    first, again = survey(photos, looked_at=6), survey(photos, looked_at=6)
    assert first.looked_at == 6 and first.count == 18 and first == again
    assert any("of 6 drawn" in line for line in first.lines())


def test_a_preview_shows_what_training_reads_a_class_a_row(photos, tmp_path):
    out = tmp_path / "preview.png"
    preview(photos, out, image_size=16)
    from mmcgan.datasets.sets.folder import ImageFolder

    data = ImageFolder(str(photos), 16)
    sheet = np.asarray(Image.open(out))
    side = sheet.shape[0] // 2
    assert sheet.shape[1] == 10 * side
    enlarged = (side - 2) // 16
    first_dog = data.__getitems__([14])["image"][0].permute(1, 2, 0).numpy()
    shown = sheet[side + 1 : 2 * side - 1 : enlarged, 1 : side - 1 : enlarged]
    assert np.abs(shown[:16, :16].astype(int) - first_dog).max() <= 1
    with pytest.raises(FileExistsError, match="--overwrite"):
        preview(photos, out, image_size=16)


def test_the_command_says_what_it_found(photos, tmp_path, capsys):
    (photos / "dogs" / "broken.png").write_bytes(b"no picture")
    assert main(["preview", str(photos), "--out", str(tmp_path / "p.png")]) == 0
    said = capsys.readouterr().out
    assert "2 classes: cats 14, dogs 5" in said and "cannot be read" in said


@pytest.mark.parametrize("command", ["preview", "new"])
def test_nothing_is_written_among_the_images(photos, monkeypatch, capsys, command):
    """As somebody does who works in the folder: the next training would take its samples for images."""
    monkeypatch.chdir(photos)
    before = sorted(photos.rglob("*"))
    assert main([command, "."]) != 0
    said = capsys.readouterr().err
    beside = "../preview.png" if command == "preview" else "../photos-gan"
    assert "lies among the images of" in said and f"such as --out {beside}" in said
    assert sorted(photos.rglob("*")) == before
