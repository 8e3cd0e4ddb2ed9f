"""Whatever is made from image files and kept belongs to those images, wherever they lie."""

import os
import shutil

import pytest

from mmcgan import file_identity
from mmcgan.apis.folders import evaluate_folders
from mmcgan.datasets.decode import BadImageError
from mmcgan.datasets.packing.pack import pack
from mmcgan.datasets.packing.packed import PackedDataset
from mmcgan.datasets.sets.folder import ImageFolder
from mmcgan.datasets.sets.image_list import ImageList
from mmcgan.evaluation.statistics.reference import Reference
from mmcgan.file_identity import files_digest
from mmcgan.instance_preparation import prepare, workshop
from mmcgan.instance_preparation.prepare import Options, prepare_instances
from mmcgan.instances.store_metadata import StoreError
from tests.test_datasets.image_files import class_folders, picture, save
from tests.test_evaluation.stand_ins import MeanColour
from tests.test_instances import stores  # noqa: F401 registers the extractor

COUNT = 400  # more than were once looked at


@pytest.fixture(scope="module")
def original(tmp_path_factory):
    return class_folders(
        tmp_path_factory.mktemp("original") / "images", {"a": COUNT // 2, "b": COUNT // 2}, ".bmp"
    )


@pytest.fixture
def root(original, tmp_path, monkeypatch):
    monkeypatch.setenv("MMCGAN_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(file_identity, "_KNOWN", {})
    return shutil.copytree(original, tmp_path / "images")


def repaint_one(root):
    """Other pixels; size and modification time are put back."""
    path = root / "a" / "7.bmp"
    before = path.stat()
    save(path, picture(seed=99_999))
    assert path.stat().st_size == before.st_size
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def repaint_all(root):
    for number, path in enumerate(sorted(root.glob("*/*.bmp"))):
        save(path, picture(seed=50_000 + number))


def swap_two(root):
    first, second, between = root / "a" / "1.bmp", root / "a" / "2.bmp", root / "between"
    first.rename(between)
    second.rename(first)
    between.rename(second)


def rename_one(root):
    (root / "b" / "3.bmp").rename(root / "b" / "3x.bmp")


def rename_class(root):
    (root / "b").rename(root / "c")


def move_to_the_other_class(root):
    (root / "a" / "0.bmp").rename(root / "b" / "00.bmp")
    (root / "b" / "0.bmp").rename(root / "a" / "0.bmp")


CHANGES = [repaint_one, repaint_all, swap_two, rename_one, rename_class, move_to_the_other_class]


def touch(root):
    for path in root.glob("*/*.bmp"):
        os.utime(path)
    return root


def copy_elsewhere(root):
    copy = root.parent / "elsewhere" / "deeper" / "pictures"
    shutil.copytree(root, copy)
    shutil.rmtree(root)
    return copy


def other_working_folder(root):
    os.chdir(root.parent)
    return root.relative_to(root.parent)


def through_a_link(root):
    link = root.parent / "link"
    link.symlink_to(root)
    return link


SAME = [touch, copy_elsewhere, other_working_folder, through_a_link]


class ReferenceFile:
    refusal = ValueError

    def __init__(self, folder):
        self.path = str(folder / "statistics.safetensors")

    def use(self, root):
        extractor = MeanColour()
        Reference(ImageFolder(str(root), 8), extractor, path=self.path).statistics()
        return extractor.passes > 0


class Made:
    """Something that is made at a path once: a second use of the same images makes nothing."""

    refusal = FileExistsError

    def __init__(self, folder):
        self.path = folder / self.name

    def use(self, root):
        made = not self.path.exists()
        self.make(root)
        return made


class FolderReference(Made):
    refusal = ValueError
    name = "folder.safetensors"

    def make(self, root):
        config = dict(type="MeanColour")
        evaluate_folders(root, root, config, ["fid"], reference=str(self.path), labelled=True)


class Pack(Made):
    name = "pack"

    def make(self, root):
        pack(ImageFolder(str(root), 8), self.path)


class Store(Made):
    name = "store"

    def make(self, root):
        prepare_instances(ImageFolder(str(root), 8), dict(type="PixelExtractor"), self.path, Options(k=3))


class StoreInTraining:
    """The store is used with images of another size."""

    refusal = StoreError

    def __init__(self, folder):
        self.path, self.store = folder / "store", None

    def use(self, root):
        if self.store is None:
            options, images = Options(k=3), ImageFolder(str(root), 8)
            self.store = prepare_instances(images, dict(type="PixelExtractor"), self.path, options)
            return True
        self.store.require_dataset(ImageFolder(str(root), 4))
        return False


PRODUCTS = [ReferenceFile, FolderReference, Pack, Store, StoreInTraining]


@pytest.mark.parametrize("product", PRODUCTS)
def test_other_images_are_refused(root, tmp_path, product):
    product = product(tmp_path)
    assert product.use(root) is True
    kept = tmp_path / "kept"
    for change in CHANGES:
        shutil.copytree(root, kept)
        change(root)
        with pytest.raises(product.refusal):
            product.use(root)
        shutil.rmtree(root)
        kept.rename(root)


@pytest.mark.parametrize("product", PRODUCTS)
def test_the_same_images_are_known_wherever_they_lie(root, tmp_path, product, monkeypatch):
    monkeypatch.chdir(tmp_path)
    product = product(tmp_path.resolve())
    assert product.use(root) is True
    for move in SAME:
        root = move(root)
        assert product.use(root) is False, move.__name__


def test_without_a_named_file_statistics_are_those_of_the_images_of_now(root):
    first = Reference(ImageFolder(str(root), 8), MeanColour()).statistics()
    repaint_all(root)
    second = Reference(ImageFolder(str(root), 8), MeanColour()).statistics()
    assert not second.mean.equal(first.mean)


def test_files_that_nobody_touched_are_read_once(root, monkeypatch):
    monkeypatch.setattr(file_identity, "SETTLED_SECONDS", -1.0)  # these were made a moment ago
    paths = [str(path) for path in sorted(root.glob("*/*.bmp"))]
    first = files_digest(paths)
    monkeypatch.setattr(file_identity, "_KNOWN", {})  # as in another process
    monkeypatch.setattr(file_identity, "_contents", lambda files: pytest.fail("they were read again"))
    assert files_digest(paths) == first


def test_a_file_changed_a_moment_ago_is_not_trusted(tmp_path, monkeypatch):
    monkeypatch.setenv("MMCGAN_CACHE", str(tmp_path / "cache"))
    path = tmp_path / "image.bmp"
    path.write_bytes(b"one")
    first = files_digest([str(path)])
    assert not (tmp_path / "cache").exists() and first not in file_identity._KNOWN.values()


def test_a_list_of_images_is_known_by_its_files(root, tmp_path):
    names = tmp_path / "names.txt"
    names.write_text("a/1.bmp\nb/2.bmp\n")
    first = ImageList(str(root), str(names), 8).fingerprint()
    assert ImageList(str(root), str(names), 8).fingerprint() == first
    repaint_one(root)
    assert ImageList(str(root), str(names), 8).fingerprint() == first  # it is not in the list
    names.write_text("b/2.bmp\na/1.bmp\n")
    assert ImageList(str(root), str(names), 8).fingerprint() != first


# --- what is unfinished goes on after an image was mended -------------------------------------------------


@pytest.fixture
def broken(root):
    """The whole file of an image that is broken."""
    path = root / "b" / "150.bmp"
    whole = path.read_bytes()
    path.write_bytes(whole[:30])
    return path, whole


def mend(path, whole, root):
    path.write_bytes(whole)


def remove(path, whole, root):
    path.unlink()


@pytest.mark.parametrize("change", [mend, remove])
def test_a_store_goes_on_after_a_bad_image(root, broken, tmp_path, monkeypatch, change):
    monkeypatch.setattr(workshop, "BLOCK_IMAGES", 64)

    def make(name):
        images = ImageFolder(str(root), 8)
        return prepare_instances(
            images, dict(type="PixelExtractor"), tmp_path / name, Options(k=3, flip=True)
        )

    with pytest.raises(BadImageError, match="Nothing is lost"):
        make("store")
    change(*broken, root)
    read = []
    original = prepare.extract_block
    monkeypatch.setattr(prepare, "extract_block", lambda *args: (read.append(args[2]), original(*args))[1])
    store = make("store")
    # the blocks before the bad image were finished, apart from how the sorted names fall
    assert min(read) >= 192 and store.size == (400 if change is mend else 399)
    assert (store.root / "features.npy").read_bytes() == (make("whole").root / "features.npy").read_bytes()


def test_an_unfinished_store_of_other_images_is_left_alone(root, broken, tmp_path, monkeypatch):
    monkeypatch.setattr(workshop, "BLOCK_IMAGES", 64)
    images = ImageFolder(str(root), 8)
    with pytest.raises(BadImageError):
        prepare_instances(images, dict(type="PixelExtractor"), tmp_path / "store", Options(k=3))
    repaint_all(root)
    with pytest.raises(FileExistsError, match="unfinished store of something else"):
        prepare_instances(images, dict(type="PixelExtractor"), tmp_path / "store", Options(k=3))


@pytest.mark.parametrize("change", [mend, remove])
def test_a_pack_goes_on_after_a_bad_image(root, broken, tmp_path, change):
    with pytest.raises(BadImageError, match="Nothing is lost"):
        pack(ImageFolder(str(root), 8), tmp_path / "out", shard_images=64)
    first = (tmp_path / "out.partial" / "images-00000.npy").stat().st_mtime_ns
    change(*broken, root)
    images = ImageFolder(str(root), 8)
    result = pack(images, tmp_path / "out", shard_images=64)
    assert (tmp_path / "out" / "images-00000.npy").stat().st_mtime_ns == first
    packed = PackedDataset(str(result.root))
    assert len(packed) == len(images)
    assert packed.__getitems__(range(len(images)))["image"].equal(
        images.__getitems__(range(len(images)))["image"]
    )
