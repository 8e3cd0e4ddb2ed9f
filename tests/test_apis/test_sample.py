"""Sampling: labels by number or name, files that are never overwritten silently, repeatable images."""

import weakref
from pathlib import Path

import pytest
import torch
from PIL import Image

from mmcgan.apis.labels import find_labels
from mmcgan.apis.sampling import draw, sample
from mmcgan.models.sampling import SamplingModel
from mmcgan.registry import SAMPLERS
from mmcgan.zoo.models import GeneratorRecord, LoadedModel

GENERATOR = dict(type="DCGANGenerator", image_size=8, num_classes=3, base_channels=4, latent_dim=6)
NAMES = ("Cat", "dog", "T-shirt/top")


def loaded(sampler=None, num_classes=3, classes=NAMES):
    torch.manual_seed(0)
    model = SamplingModel({**GENERATOR, "num_classes": num_classes}, ema=False).eval()
    sampler = sampler or dict(type="UniformLabel", num_classes=3)
    record = GeneratorRecord(GENERATOR, dict(type="NormalLatent"), sampler, classes)
    return LoadedModel(model, SAMPLERS.build(dict(sampler)), record, "pets")


@pytest.fixture
def shipped(monkeypatch):
    """Let ``sample`` find the model above."""
    monkeypatch.setattr("mmcgan.apis.sampling.given_model", lambda *_: loaded())


@pytest.mark.parametrize(
    ("wanted", "found"),
    [(["0", "2"], [0, 2]), ([1, 1], [1, 1]), (["dog", "Cat"], [1, 0]), (["DOG"], [1]), (None, [0, 1, 2])],
)
def test_labels_by_number_or_name(wanted, found):
    assert find_labels(loaded(), wanted) == found


@pytest.mark.parametrize("wanted", ["3", "-1", 3, "bird"])
def test_bad_label_lists_the_classes(wanted):
    with pytest.raises(ValueError, match=r"pets.*Classes: 0 Cat, 1 dog, 2 T-shirt/top"):
        find_labels(loaded(), [wanted])


def test_a_name_goes_before_a_number_but_an_int_is_a_number():
    model = loaded(classes=("2", "0", "1"))
    assert find_labels(model, ["2"]) == [0]
    assert find_labels(model, [2]) == [2]


def test_default_labels_are_those_it_was_trained_for():
    assert find_labels(loaded(dict(type="ConstantLabel", label=1)), None) == [1]


def test_labels_for_a_model_without_classes_are_refused():
    unlabelled = loaded(num_classes=0, classes=None)
    assert find_labels(unlabelled, None) == []
    with pytest.raises(ValueError, match="no classes"):
        find_labels(unlabelled, [0])


def test_image_depends_on_seed_label_and_index_not_on_the_number():
    few, many = draw(loaded(), 2, [0, 1], 5, None), draw(loaded(), 70, [0, 1] * 35, 5, None)
    torch.testing.assert_close(few, many[:2], atol=1e-6, rtol=0)
    assert not torch.allclose(few, draw(loaded(), 2, [0, 1], 6, None))
    assert not torch.allclose(few, draw(loaded(), 2, [1, 1], 5, None)[:2])


def test_truncation_changes_only_latents_beyond_it():
    whole = draw(loaded(), 8, [0] * 8, 0, None)
    assert torch.equal(whole, draw(loaded(), 8, [0] * 8, 0, 1e3))
    assert not torch.allclose(whole, draw(loaded(), 8, [0] * 8, 0, 0.1))


def test_truncation_of_a_generator_that_takes_psi_leaves_latents_alone():
    model = loaded()
    latents, asked = [], []

    def forward_truncated(latent, condition, truncation):
        latents.append(latent)
        asked.append(truncation)
        return torch.zeros(len(latent), 3, 8, 8)

    generator = model.model.generator
    generator.truncates_latent, generator.has_truncation = False, True
    generator.forward_truncated = forward_truncated
    draw(model, 4, [0] * 4, 0, 0.1)
    assert asked == [0.1]
    assert latents[0].abs().max() > 0.1


def test_files_are_one_per_image_and_a_grid_with_a_column_per_label(shipped, tmp_path):
    result = sample("pets", labels=["Cat", 2], num=5, out=tmp_path / "out")
    assert [file.name for file in result.images] == [
        "00000_0-Cat.png",
        "00001_2-T-shirt-top.png",
        "00002_0-Cat.png",
        "00003_2-T-shirt-top.png",
        "00004_0-Cat.png",
    ]
    assert all(Image.open(file).size == (8, 8) for file in result.images)
    sheet = Image.open(result.grid)
    assert sheet.size == (2 * 50, 3 * 50)  # 2 columns, 3 rows, six times enlarged, a gap around each
    cell = sheet.crop((51, 1, 99, 49)).resize((8, 8), Image.Resampling.NEAREST)
    assert cell.tobytes() == Image.open(result.images[1]).tobytes()


def test_nothing_is_overwritten_silently(shipped, tmp_path):
    out, sheet = tmp_path / "samples", tmp_path / "samples.grid.png"
    sample("pets", num=2, out=out)
    before = {file: file.read_bytes() for file in tmp_path.rglob("*.png")}
    assert len(before) == 3
    with pytest.raises(FileExistsError, match=r"samples\.grid\.png exists"):
        sample("pets", num=4, seed=1, out=out)
    assert {file: file.read_bytes() for file in tmp_path.rglob("*.png")} == before
    sample("pets", num=2, seed=1, out=out, overwrite=True)
    assert sheet.read_bytes() != before[sheet]
    sheet.unlink()  # the samples alone are kept too, whatever their names say
    with pytest.raises(FileExistsError, match=r"00000_0-Cat\.png exists"):
        sample("pets", labels=["dog"], num=2, out=out)


def test_samples_of_before_are_not_left_among_those_of_now(shipped, tmp_path):
    """A judge of the folder would take them for samples of the new run."""
    out = tmp_path / "samples"
    sample("pets", num=4, labels=["dog"], out=out)
    before = {file: file.read_bytes() for file in tmp_path.rglob("*.png")}
    for asked in (dict(num=3, labels=["dog"]), dict(num=4, labels=[0]), dict(num=4)):
        with pytest.raises(FileExistsError, match=r"0000\d_1-dog\.png and \d other samples in that folder"):
            sample("pets", seed=1, out=out, overwrite=True, **asked)
        assert {file: file.read_bytes() for file in tmp_path.rglob("*.png")} == before
    result = sample("pets", seed=1, num=5, labels=["dog"], out=out, overwrite=True)
    assert sorted(out.iterdir()) == sorted(result.images)


def test_a_folder_of_samples_holds_samples_and_nothing_else(shipped, tmp_path, monkeypatch):
    result = sample("pets", num=5, out=tmp_path / "samples")
    assert sorted(result.folder.iterdir()) == sorted(result.images)
    assert result.grid == tmp_path / "samples.grid.png" and result.grid.is_file()
    monkeypatch.chdir(result.folder)
    again = sample("pets", num=5, out=".", overwrite=True)
    assert again.grid.resolve() == result.grid and sorted(Path().iterdir()) == sorted(again.images)


def test_many_images_are_written_without_being_kept(shipped, tmp_path, monkeypatch):
    alive, most = [], []
    render = SamplingModel.sample

    def watched(self, *args, **options):
        images = render(self, *args, **options)
        alive.append(weakref.ref(images))
        most.append(sum(ref() is not None for ref in alive))
        return images

    monkeypatch.setattr(SamplingModel, "sample", watched)
    result = sample("pets", num=900, out=tmp_path / "samples")
    assert len(list(result.folder.iterdir())) == len(result.images) == 900
    # the batches on the sheet, the one at work and the one before
    assert max(most) <= 400 // 64 + 3
    assert result.shown == 399 and Image.open(result.grid).size == (3 * 50, 133 * 50)
    assert result.labels[899] == 2 and result.images[-1].name == "00899_2-T-shirt-top.png"


def test_a_full_disk_ends_sampling_with_the_error(shipped, tmp_path, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("mmcgan.apis.writing.os.replace", full)
    with pytest.raises(OSError, match="No space left"):
        sample("pets", num=3, out=tmp_path / "samples")
    assert list((tmp_path / "samples").iterdir()) == []


@pytest.mark.parametrize(("argument", "value"), [("num", 0), ("truncation", 0.0), ("truncation", -1.0)])
def test_impossible_numbers_are_refused(shipped, tmp_path, argument, value):
    with pytest.raises(ValueError, match=argument):
        sample("pets", out=tmp_path, **{argument: value})
