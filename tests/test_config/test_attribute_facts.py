"""Facts about attributes reach generator, head, sampler and evaluation."""

import pytest

from mmcgan.config import ConfigError, load_config
from mmcgan.config.load import prepare_config, read_config
from mmcgan.config.locate import find_config
from mmcgan.registry import DATASETS

NAME = "omnigan-multi-label_biggan_two-domain-digits-16"
GROUPS = {"digit": [str(i) for i in range(10)], "domain": ["plain", "textured"]}


def test_groups_are_written_once_and_reach_all_parts():
    config = load_config(NAME)
    model = config.model
    assert model.generator.attribute_groups == GROUPS and model.generator.num_attributes == 12
    assert model.generator.num_classes == 0
    assert model.discriminator.heads.omni.num_attributes == 12
    assert model.condition_sampler.attribute_groups == GROUPS
    assert config.val_dataloader.dataset.attribute_groups == GROUPS


def test_joint_counts_reach_the_sampler_that_asks_without_what_is_left_out():
    name = NAME.replace("multi-label", "multi-label-held-out")
    config = load_config(name, {"model.condition_sampler.type": "EmpiricalAttributes"})
    counts = config.model.condition_sampler.attribute_counts
    assert len(counts) == 17
    assert [3, 11] not in [columns for columns, _ in counts]
    built = DATASETS.build(dict(config.train_dataloader.dataset))
    assert sum(number for _, number in counts) == len(built) < 2 * 1438


def test_other_groups_or_numbers_contradict():
    with pytest.raises(ConfigError, match=r"heads\.omni\.num_attributes: 9 contradicts .*num_attributes 12"):
        load_config(NAME, {"model.discriminator.heads.omni.num_attributes": 9})
    with pytest.raises(ConfigError, match=r"attribute_groups: .* contradicts train_dataloader\.dataset"):
        load_config(NAME, {"model.condition_sampler.attribute_groups": {"digit": ["1", "2"]}})
    same = {"digit": tuple(GROUPS["digit"]), "domain": tuple(GROUPS["domain"])}
    load_config(NAME, {"model.condition_sampler.attribute_groups": same})


def test_bad_combinations_are_found_by_the_check():
    options = {"train_dataloader.dataset.leave_out": [{"digit": "3", "domain": "texture"}]}
    with pytest.raises(ConfigError, match="Did you mean 'textured'"):
        load_config(NAME, options)


def test_a_generator_that_would_not_see_the_attributes_is_refused():
    deaf = dict(type="DCGANGenerator", base_channels=8, latent_dim=16)
    config = read_config(find_config(NAME))
    config._cfg_dict["model"]["generator"] = deaf
    problems = prepare_config(config, {})
    assert [problem.path for problem in problems] == ["model.generator.type"]
    assert "asks for attributes" in problems[0].message
