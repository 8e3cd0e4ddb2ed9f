"""Attribute samplers: laws, combinations never seen, messages."""

import pytest
import torch
from scipy import stats

from mmcgan.attributes import AttributeGroups
from mmcgan.random import make_generator
from mmcgan.samplers import ChosenAttributes, EmpiricalAttributes, UniformAttributes
from tests.test_samplers.draws import check_depends_on_the_generator_only

SPEC = {"digit": ["0", "1", "2"], "domain": ["plain", "textured"], "traits": {"any_of": ["bold", "round"]}}
GROUPS = AttributeGroups.from_config(SPEC)
# of six pairs, (1, textured) and (2, plain) have no image
COUNTS = [[[0, 3], 50], [[1, 3, 5], 25], [[0, 4], 5], [[2, 4, 5, 6], 20]]
DRAWS = 12_000


def draw(sampler, name="test", n=DRAWS):
    attributes = sampler.sample(n, make_generator(0, name)).attributes
    assert attributes.dtype == torch.float32 and attributes.shape == (n, 7)
    GROUPS.check(attributes, "a draw")
    return attributes


def follows(observed, probabilities):
    expected = [p * sum(observed) for p in probabilities]
    return stats.chisquare(observed, expected).pvalue > 1e-3


def test_uniform_asks_for_every_combination_equally_and_free_ones_independently():
    attributes = draw(UniformAttributes(SPEC, probability=0.25))
    pairs = attributes[:, :3].argmax(1) * 2 + attributes[:, 3:5].argmax(1)
    assert follows(torch.bincount(pairs, minlength=6).tolist(), [1 / 6] * 6)
    free = attributes[:, 5] * 2 + attributes[:, 6]
    assert follows(torch.bincount(free.long(), minlength=4).tolist(), [9 / 16, 3 / 16, 3 / 16, 1 / 16])


def test_empirical_has_the_joint_frequencies_and_nothing_unseen():
    attributes = draw(EmpiricalAttributes(SPEC, COUNTS))
    found = {tuple(columns): number for columns, number in GROUPS.count(attributes)}
    assert set(found) == {tuple(columns) for columns, _ in COUNTS}
    assert follows([found[tuple(columns)] for columns, _ in COUNTS], [count / 100 for _, count in COUNTS])


def test_empirical_counts_a_data_set_itself():
    dataset = dict(type="TwoDomainDigits", split="test", leave_out=[dict(digit="3", domain="textured")])
    spec = AttributeGroups.from_config({"digit": list("0123456789"), "domain": ["plain", "textured"]})
    sampler = EmpiricalAttributes(spec.to_config(), dataset=dataset)
    assert len(sampler.combinations) == 19
    assert not spec.shows(sampler.combinations, {"digit": "3", "domain": "textured"}).any()
    with pytest.raises(ValueError, match="TwoDomainDigits has other attribute groups: digit"):
        EmpiricalAttributes(SPEC, dataset=dataset)


def test_chosen_asks_for_unseen_combinations_and_leaves_open_groups_uniform():
    fixed = draw(ChosenAttributes(SPEC, {"digit": "1", "domain": "textured", "traits": ["round"]}), n=5)
    assert fixed.tolist() == [[0, 1, 0, 0, 1, 0, 1]] * 5
    either = draw(ChosenAttributes(SPEC, [{"digit": "1", "domain": "plain"}, {"digit": "2"}]))
    pairs = either[:, :3].argmax(1) * 2 + either[:, 3:5].argmax(1)
    counts = torch.bincount(pairs, minlength=6).tolist()
    assert counts[0] == counts[1] == counts[3] == 0
    assert follows([counts[2], counts[4], counts[5]], [1 / 3] * 3)


@pytest.mark.parametrize(
    "sampler",
    [UniformAttributes(SPEC), EmpiricalAttributes(SPEC, COUNTS), ChosenAttributes(SPEC, {"domain": "plain"})],
    ids=lambda sampler: type(sampler).__name__,
)
def test_a_draw_depends_on_the_generator_only(sampler):
    check_depends_on_the_generator_only(draw, sampler)


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: UniformAttributes(SPEC, probability=1.5), r"probability must be in \[0, 1\], got 1.5"),
        (lambda: EmpiricalAttributes(SPEC), "attribute_counts is missing.*dataset="),
        (lambda: EmpiricalAttributes(SPEC, [[[0, 9], 4]]), r"names column 9; the groups have 0\.\.6"),
        (lambda: EmpiricalAttributes(SPEC, [[[0, 1, 3], 4]]), r"image 0 has \['0', '1'\] of digit"),
        (lambda: EmpiricalAttributes(SPEC, [[[0, 3], 0]]), "not all 0"),
        (lambda: ChosenAttributes(SPEC, []), "attributes is an empty list"),
        (lambda: ChosenAttributes(SPEC, {"domain": "texture"}), "Did you mean 'textured'"),
    ],
)
def test_bad_arguments_are_named(build, message):
    with pytest.raises(ValueError, match=message):
        build()
