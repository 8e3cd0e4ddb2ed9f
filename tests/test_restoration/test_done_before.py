"""What counts as restored before: the same contents, whatever their names, and every file of the result."""

import shutil
from dataclasses import replace

import pytest
import torch
from PIL import Image

from mmcgan.registry import BACKBONES
from mmcgan.restoration import DiscriminatorDistance, RestoreOptions, Stage, load_prior, restore
from mmcgan.restoration.features import PerceptualDistance
from tests.test_restoration.digits import digit_file

MODEL = "omnigan_biggan_digits-16"
STAGES = [Stage(1)]


@pytest.fixture
def digit(tmp_path):
    return digit_file(tmp_path, width=16)


@pytest.fixture
def prior():
    return load_prior(MODEL, distance="pixels")


def options(**settings):
    return RestoreOptions(candidates=2, **settings)


def run(prior, image, task="reconstruct", **settings):
    return restore(prior, [image], task, STAGES, out=image.parent / "out", options=options(**settings))[0]


def other_weights(prior, digit):
    with torch.no_grad():
        next(iter(prior.generator.parameters())).add_(1e-3)
    return prior


def other_buffers(prior, digit):
    next(iter(prior.generator.buffers())).add_(1)
    return prior


def other_photo(prior, digit):
    Image.open(digit).transpose(Image.Transpose.FLIP_LEFT_RIGHT).save(digit)
    return prior


def other_instances(prior, digit):
    class Ones:
        def sample(self, n, generator):
            return prior.conditions(n, 1, generator)

    return replace(prior, loaded=replace(prior.loaded, condition_sampler=Ones()))


def other_model_of_that_size(prior, digit):
    made_by = prior.loaded.record
    config = {**made_by.generator, "another_setting": 1}
    return replace(prior, loaded=replace(prior.loaded, record=replace(made_by, generator=config)))


@pytest.mark.parametrize(
    "change", [other_weights, other_buffers, other_photo, other_instances, other_model_of_that_size]
)
def test_other_contents_of_the_same_name_are_refused_or_made_anew(prior, digit, change):
    first = run(prior, digit)
    record = first.picture.with_suffix(".json").read_bytes()
    changed = change(prior, digit)
    with pytest.raises(FileExistsError, match=r"was made with other settings.*--overwrite"):
        run(changed, digit)
    assert first.picture.with_suffix(".json").read_bytes() == record
    assert not run(changed, digit, overwrite=True).skipped
    assert run(changed, digit).skipped


def test_every_network_that_compares_is_part_of_the_settings(digit):
    """Each kind of distance is walked; of two with the same name the weights tell which one it is."""

    def discriminator(seed):
        torch.manual_seed(seed)
        network = BACKBONES.build({"type": "ResNetBackbone", "image_size": 16, "base_channels": 4})
        return DiscriminatorDistance(network.eval().requires_grad_(False))

    def perceptual(seed):
        torch.manual_seed(seed)
        return PerceptualDistance(torch.nn.Conv2d(3, 2, 3).requires_grad_(False))

    plain = load_prior(MODEL, distance="pixels")
    for number, make in enumerate((discriminator, perceptual)):
        image = digit.with_name(f"{number}.png")
        shutil.copy(digit, image)
        run(replace(plain, distance=make(0), compared="judge"), image)
        assert run(replace(plain, distance=make(0), compared="judge"), image).skipped
        with pytest.raises(FileExistsError, match=r"other settings \(comparing_weights"):
            run(replace(plain, distance=make(1), compared="judge"), image)


@pytest.mark.parametrize(
    ("task", "settings"), [("reconstruct", {}), ("jitter", {}), ("reconstruct", {"gif": True})]
)
def test_a_file_that_is_gone_is_made_again(prior, digit, task, settings):
    run(prior, digit, task, **settings)
    files = sorted((digit.parent / "out").iterdir())
    assert len(files) == 3 + (task == "jitter") + bool(settings)
    for file in files:
        file.unlink()
        assert not run(prior, digit, task, **settings).skipped, file
        assert file.is_file()
        assert run(prior, digit, task, **settings).skipped


def test_the_same_image_at_another_place_is_not_restored_twice(prior, digit, tmp_path):
    run(prior, digit)
    moved = tmp_path / "elsewhere" / digit.name
    moved.parent.mkdir()
    shutil.move(digit, moved)
    again = restore(prior, [moved], "reconstruct", STAGES, out=tmp_path / "out", options=options())
    assert again[0].skipped


def test_what_lies_between_two_images_is_made_anew_with_one_of_them(prior, digit):
    other, out = digit.with_name("other.png"), digit.parent / "out"
    shutil.copy(digit, other)
    restore(prior, [digit, other], "morph", STAGES, out=out, options=options())
    strip = out / "three_to_other.png"
    before = strip.read_bytes()
    other_photo(prior, other)
    restore(prior, [digit, other], "morph", STAGES, out=out, options=options(overwrite=True))
    assert strip.read_bytes() != before


def test_a_result_that_is_being_replaced_does_not_pass_as_the_old_one(prior, digit, monkeypatch):
    run(prior, digit)
    monkeypatch.setattr("mmcgan.restoration.writing.contact_sheet", lambda *given: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        run(prior, digit, seed=1, overwrite=True)
    monkeypatch.undo()
    assert not run(prior, digit).skipped
