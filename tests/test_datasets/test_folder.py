import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader

from mmcgan.datasets import BadImageError, ImageFolder, ImageNet, InfiniteShuffle, TinyImageNet, gan_collate
from tests.test_datasets.image_files import class_folders, picture, save, truncate


@pytest.fixture
def root(tmp_path):
    return class_folders(tmp_path / "animals", {"dog": 3, "ant": 2, "cat": 4})


def pixels(data, index):
    return data[index]["image"].permute(1, 2, 0).numpy()


# --- what is read -------------------------------------------------------------------------------
@pytest.mark.parametrize("in_memory", [False, True])
def test_labelled_folder(root, in_memory):
    data = ImageFolder(str(root), 8, fit="exact", in_memory=in_memory)
    assert data.metainfo == dict(
        classes=("ant", "cat", "dog"), num_classes=3, image_size=8, size=9, class_counts=(2, 4, 3)
    )
    assert ImageFolder.facts(str(root), 8) == dict(num_classes=3, image_size=8, class_counts=(2, 4, 3))
    # dog was written first: its pictures have seeds 0..2, cat's 2000..2003
    assert np.array_equal(pixels(data, 7), picture(seed=1))
    batch = data.__getitems__([7, 2])
    assert batch["label"].tolist() == [2, 1]
    assert np.array_equal(batch["image"][1].permute(1, 2, 0).numpy(), picture(seed=2000))


def test_files_are_found_at_any_depth_whatever_their_case(tmp_path):
    save(tmp_path / "a" / "x" / "y" / "1.PNG")
    save(tmp_path / "a" / "2.jpeg")
    save(tmp_path / "b" / "3.webp")
    (tmp_path / "b" / "notes.txt").write_text("not an image")
    save(tmp_path / "b" / ".hidden.png")
    save(tmp_path / ".cache" / "4.png")
    assert ImageFolder(str(tmp_path), 8).metainfo["class_counts"] == (2, 1)


def test_unlabelled_folder(root):
    save(root / "loose.png", picture(seed=77))
    data = ImageFolder(str(root), 8, labelled=False, fit="exact")
    assert len(data) == 10
    assert list(data[0]) == ["image"]
    assert data.metainfo["num_classes"] == 0
    assert ImageFolder.facts(str(root), 8, labelled=False) == dict(num_classes=0, image_size=8)
    assert any(np.array_equal(pixels(data, i), picture(seed=77)) for i in range(10))


def test_links_to_folders_are_followed(root, tmp_path):
    (tmp_path / "links").mkdir()
    for name in ("ant", "cat"):
        (tmp_path / "links" / name).symlink_to(root / name)
    assert len(ImageFolder(str(tmp_path / "links"), 8)) == 6


def test_loading_in_workers_equals_loading_here(root):
    data = ImageFolder(str(root), 8)
    loaders = [
        DataLoader(data, batch_size=4, sampler=InfiniteShuffle(data), num_workers=n, collate_fn=gan_collate)
        for n in (0, 2)
    ]
    for one, other, _ in zip(*loaders, range(4), strict=False):
        assert torch.equal(one["image"], other["image"])
        assert torch.equal(one["label"], other["label"])


def test_fingerprint_follows_files_and_options(root):
    first = ImageFolder(str(root), 8).fingerprint()
    assert ImageFolder(str(root), 8).fingerprint() == first
    assert ImageFolder(str(root), 8, fit="resize_short_side").fingerprint() != first
    (root / "ant" / "0.png").rename(root / "ant" / "9.png")
    assert ImageFolder(str(root), 8).fingerprint() != first


# --- what is wrong ------------------------------------------------------------------------------
def message_of(error, folder, **options):
    with pytest.raises(error) as caught:
        ImageFolder(str(folder), 8, **options)
    return str(caught.value)


@pytest.mark.parametrize("labelled", [True, False])
def test_missing_and_empty_folders(tmp_path, labelled):
    gone = tmp_path / "gone"
    assert str(gone) in message_of(FileNotFoundError, gone, labelled=labelled)
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "x.txt").write_text("")
    message = message_of(ValueError, tmp_path, labelled=labelled)
    assert f"{tmp_path}: no images found (looked for .png" in message
    assert "it has 1 .txt" in message


def test_images_without_class_folders(tmp_path):
    save(tmp_path / "a.png")
    message = message_of(ValueError, tmp_path)
    assert "1 images lie directly in it" in message
    assert "labelled=False" in message


def test_images_beside_class_folders(root):
    save(root / "stray.png")
    message = message_of(ValueError, root)
    assert "1 images lie beside the class folders (such as stray.png)" in message


def test_empty_class_folder_is_named(root):
    (root / "bee").mkdir()
    (root / "elk").mkdir()
    assert "class folders without images: bee, elk" in message_of(ValueError, root)


def test_nested_folder_mistake_names_the_right_folder(root):
    message = message_of(ValueError, root.parent)
    assert f"{root.parent}: only one class folder, 'animals'" in message
    assert message.endswith(f"The class folders seem to be in {root}: give that folder")
    ImageFolder(str(root), 8)


def test_doubly_nested_folder_mistake(root):
    outer = root.parent / "outer" / "inner"
    outer.mkdir(parents=True)
    root.rename(outer / "animals")
    assert "give that folder" in message_of(ValueError, root.parent)
    assert str(outer / "animals") in message_of(ValueError, root.parent)


def test_single_class(tmp_path):
    class_folders(tmp_path, {"only": 3})
    message = message_of(ValueError, tmp_path)
    assert "only one class folder, 'only'; a conditional run needs at least two" in message
    assert "labelled=False" in message
    assert "seem to be in" not in message


def test_splits_taken_for_classes(root):
    top = root.parent / "top"
    top.mkdir()
    root.rename(top / "train")
    class_folders(top / "val", {"dog": 1, "ant": 1, "cat": 1})
    message = message_of(ValueError, top)
    assert "train, val look like splits, not classes" in message
    assert str(top / "train") in message


def test_bad_image_is_named_when_decoded(root):
    broken = truncate(root / "cat" / "2.png")
    data = ImageFolder(str(root), 8)
    with pytest.raises(BadImageError, match=str(broken)):
        data.__getitems__([4])
    assert str(broken) in message_of(BadImageError, root, in_memory=True)


def test_bad_image_is_named_through_a_worker(root):
    broken = truncate(root / "cat" / "2.png")
    loader = DataLoader(ImageFolder(str(root), 8), batch_size=9, num_workers=1, collate_fn=gan_collate)
    with pytest.raises(ValueError, match=str(broken)):
        next(iter(loader))


# --- ImageNet and Tiny-ImageNet -----------------------------------------------------------------
def test_imagenet(tmp_path):
    content = save(tmp_path / "a.jpg", picture(10, 8)).read_bytes()
    for i in range(1000):
        folder = tmp_path / "val" / f"n{i:08d}"
        folder.mkdir(parents=True)
        (folder / "ILSVRC.JPEG").write_bytes(content)
    data = ImageNet(str(tmp_path), "val", image_size=6)
    assert data.metainfo["num_classes"] == 1000
    assert data[999]["image"].shape == (3, 6, 6)
    assert data[999]["label"] == 999


def test_imagenet_facts_do_not_need_the_data():
    facts = ImageNet.facts(image_size=256)
    assert (facts["num_classes"], facts["image_size"]) == (1000, 256)


def test_imagenet_subset_and_absence_are_named(root, tmp_path):
    with pytest.raises(FileNotFoundError, match=r"no folder .*train.*one folder per class"):
        ImageNet(str(tmp_path))
    root.rename(tmp_path / "train")
    with pytest.raises(ValueError, match=r"has 3 class folders, expected 1000.*ImageFolder"):
        ImageNet(str(tmp_path))


@pytest.fixture
def tiny(tmp_path, monkeypatch):
    monkeypatch.setattr("mmcgan.datasets.sets.imagenet.TINY_CLASSES", 2)
    root = tmp_path / "tiny-imagenet-200"
    for wnid in ("n2", "n1"):
        save(root / "train" / wnid / "images" / f"{wnid}_0.JPEG", picture(64, 64))
    for i in range(3):
        save(root / "val" / "images" / f"val_{i}.png", picture(64, 64, seed=i))
    lines = "".join(f"val_{i}.png\t{wnid}\t0\t0\t1\t1\n" for i, wnid in enumerate(("n2", "n1", "n2")))
    (root / "val" / "val_annotations.txt").write_text(lines)
    return root


def test_tiny_imagenet(tiny):
    train, val = (TinyImageNet(str(tiny), split) for split in ("train", "val"))
    assert train.metainfo["classes"] == val.metainfo["classes"] == ("n1", "n2")
    assert train.labels.tolist() == [0, 1]
    assert val.labels.tolist() == [1, 0, 1]
    assert np.array_equal(pixels(val, 2), picture(64, 64, seed=2))


def test_tiny_imagenet_facts_and_a_subset_is_refused(tiny, monkeypatch):
    monkeypatch.undo()
    assert TinyImageNet.facts(split="val") == dict(num_classes=200, image_size=64, class_counts=(50,) * 200)
    with pytest.raises(ValueError, match=r"has 2 class folders, expected 200; for a subset use.*ImageFolder"):
        TinyImageNet(str(tiny))


def test_tiny_imagenet_annotations_are_checked(tiny):
    annotations = tiny / "val" / "val_annotations.txt"
    annotations.write_text("val_0.png\tn2\t0\nval_1.png\tn7\t0\n")
    with pytest.raises(ValueError, match=r"val_annotations.txt, line 2: .*'val_1.png\\tn7\\t0'"):
        TinyImageNet(str(tiny), "val")
    annotations.unlink()
    with pytest.raises(FileNotFoundError, match=r"val_annotations.txt is missing"):
        TinyImageNet(str(tiny), "val")
    with pytest.raises(FileNotFoundError, match=r"no folder .*train"):
        TinyImageNet(str(tiny / "nowhere"))


def test_facts_are_asked_for_by_what_the_constructor_takes():
    class Mine(ImageFolder):
        def __init__(self, root):
            super().__init__(root, 8)

    with pytest.raises(TypeError, match="ImageFolder: missing a required argument: 'root'"):
        ImageFolder.facts(image_size=8)
    with pytest.raises(TypeError, match="ImageFolder: got an unexpected keyword argument 'sizes'"):
        ImageFolder.facts("photos", 8, sizes=2)
    with pytest.raises(TypeError, match=r"Mine: facts_of\(\) asks for 'image_size', which its constructor"):
        Mine.facts("photos")
