"""Sampling by attributes: choices on the command line, files, sheets and messages."""

import pytest
import torch
from PIL import Image

from mmcgan.apis.attribute_sampling import attribute_plan, parse_attributes
from mmcgan.apis.drawing import Draw
from mmcgan.apis.inference import CGANInferencer
from mmcgan.apis.sampling import sample
from mmcgan.attributes import AttributeGroups
from mmcgan.hooks.sample_grid import SampleGridHook
from mmcgan.models.sampling import SamplingModel
from mmcgan.registry import SAMPLERS
from mmcgan.zoo.models import GeneratorRecord, LoadedModel
from tests.tiny_networks import tiny_biggan

SPEC = {"digit": ["0", "1", "2"], "domain": ["plain", "textured"]}
FREE = {"traits": {"any_of": ["hat", "smile"]}}


def loaded(spec=SPEC):
    torch.manual_seed(0)
    generator = tiny_biggan(attribute_groups=spec)
    model = SamplingModel(generator, ema=False).eval()
    sampler = dict(type="UniformAttributes", attribute_groups=spec)
    record = GeneratorRecord(generator, dict(type="NormalLatent"), sampler)
    return LoadedModel(model, SAMPLERS.build(dict(sampler)), record, "faces")


@pytest.fixture
def shipped(monkeypatch):
    """Let ``sample`` find the model above."""
    monkeypatch.setattr("mmcgan.apis.sampling.given_model", lambda *_: loaded())


def test_texts_become_choices():
    assert parse_attributes(["digit=3,5", "domain=textured", "traits="]) == {
        "digit": ["3", "5"],
        "domain": ["textured"],
        "traits": [],
    }
    with pytest.raises(ValueError, match="--attributes digit: write GROUP=NAME, such as digit=3"):
        parse_attributes(["digit"])
    with pytest.raises(ValueError, match="group 'digit' is there twice; write digit=NAME,NAME"):
        parse_attributes(["digit=3", "digit=4"])


def planned(model, wanted, num=None):
    """Return the plan and the attributes of its images, as texts."""
    plan = attribute_plan(Draw(model), wanted, num)
    return plan, [plan.text(row) for row in range(plan.size)]


def test_without_a_choice_there_is_one_image_of_each_combination():
    plan, texts = planned(loaded(), None)
    assert plan.columns == 3 and len(texts) == 6
    assert texts[3] == "digit=0 domain=textured"
    assert planned(loaded(), None, 8)[1] == [*texts, *texts[:2]]


def test_a_part_of_the_groups_may_be_chosen():
    assert planned(loaded(), {"domain": ["textured"]})[1] == [f"digit={d} domain=textured" for d in "012"]
    plan, texts = planned(loaded(), {"digit": ["1"], "domain": ["plain"]})
    assert set(texts) == {"digit=1 domain=plain"} and len(texts) == 16 and plan.columns == 4


def test_free_attributes_are_drawn_as_in_training_or_chosen():
    plan, texts = planned(loaded(FREE), None, 40)
    assert len(set(texts)) == 4
    drawn = plan.batch(range(5, 9))[0].attributes
    assert [AttributeGroups.from_config(FREE).label(row) for row in drawn] == texts[5:9]
    assert set(planned(loaded(FREE), {"traits": ["hat", "smile"]}, 3)[1]) == {"traits=hat+smile"}
    assert set(planned(loaded(FREE), {"traits": []}, 3)[1]) == {"traits="}


def test_files_name_the_attributes_and_depend_on_seed_condition_and_index_alone(shipped, tmp_path):
    result = sample("faces", out=tmp_path / "all")
    assert [file.name for file in result.images[:4]] == [
        "00000_digit-0_domain-plain.png",
        "00001_digit-1_domain-plain.png",
        "00002_digit-2_domain-plain.png",
        "00003_digit-0_domain-textured.png",
    ]
    assert result.attributes[5] == "digit=2 domain=textured" and result.labels is None
    assert Image.open(result.grid).size == (3 * 50, 2 * 50)
    few = sample("faces", attributes={"digit": "0", "domain": "plain"}, num=1, out=tmp_path / "one")
    assert few.images[0].read_bytes() == result.images[0].read_bytes()
    with pytest.raises(FileExistsError):
        sample("faces", attributes={"digit": "0", "domain": "plain"}, num=1, out=tmp_path / "one")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            dict(attributes={"digt": "1"}),
            "faces: no attribute group 'digt'. Did you mean 'digit'.*one of 0, 1, 2",
        ),
        (dict(attributes={"domain": "texture"}), "faces: attribute group 'domain' has no 'texture'. Did you"),
        (dict(labels=[1]), "faces has attributes in place of labels: give --attributes of digit"),
        (dict(num=0), "num must be at least 1"),
    ],
)
def test_mistakes_are_found_before_anything_is_written(shipped, tmp_path, options, message):
    with pytest.raises(ValueError, match=message):
        sample("faces", out=tmp_path / "out", **options)
    assert not (tmp_path / "out").exists()


def test_attributes_of_a_model_without_any_are_refused(tmp_path):
    with pytest.raises(ValueError, match="omnigan_biggan_digits-16 is not conditioned on attributes"):
        sample("omnigan_biggan_digits-16", attributes={"digit": "3"}, out=tmp_path)


def test_the_picture_of_progress_has_a_column_per_digit_and_one_latent_for_all_domains():
    model = loaded().model
    model.condition_sampler = loaded().condition_sampler
    hook = SampleGridHook(rows=5, columns=10)
    images = hook.draw(model)
    assert len(images) == 2 * 6 and hook._columns(model) == 3
    assert len(images.flatten(1).unique(dim=0)) == 12
    again = SampleGridHook(rows=1, columns=2)
    assert len(again.draw(model)) == 2


def test_the_inferencer_makes_the_same_images(shipped, tmp_path):
    written = sample("faces", out=tmp_path)
    pictures = CGANInferencer(loaded())(attributes={"digit": ["0", "1", "2"]}, seed=0)
    assert [picture.tobytes() for picture in pictures] == [
        Image.open(file).tobytes() for file in written.images
    ]
    with pytest.raises(ValueError, match="faces has attributes in place of labels"):
        CGANInferencer(loaded())(labels=1)
    with pytest.raises(ValueError, match=r"has no 'texture'. Did you mean 'textured'"):
        CGANInferencer(loaded())(attributes={"domain": "texture"})
