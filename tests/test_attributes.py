"""Attribute groups: columns, choices, messages."""

import pytest
import torch

from mmcgan.attributes import AttributeGroups, attribute_facts

SPEC = {"digit": ["0", "1", "2"], "domain": ["plain", "Textured"], "traits": {"any_of": ["bold", "round"]}}
GROUPS = AttributeGroups.from_config(SPEC)


def test_columns_stand_side_by_side_in_order():
    assert len(GROUPS) == 7 and GROUPS.sizes == (3, 2, 2)
    assert [(g.name, g.columns.start, g.columns.stop, g.exclusive) for g in GROUPS] == [
        ("digit", 0, 3, True),
        ("domain", 3, 5, True),
        ("traits", 5, 7, False),
    ]
    assert GROUPS.to_config() == SPEC
    assert AttributeGroups.from_config(GROUPS.to_config()) == GROUPS


def test_groups_stand_in_the_order_of_their_names_whatever_wrote_them():
    shuffled = {name: SPEC[name] for name in ("traits", "digit", "domain")}
    assert AttributeGroups.from_config(shuffled) == GROUPS
    assert list(AttributeGroups.from_config(shuffled).to_config()) == ["digit", "domain", "traits"]


def test_a_full_choice_is_one_row_and_an_open_group_goes_through_its_names():
    one = GROUPS.matching({"digit": 2, "domain": "textured", "traits": ["bold", "round"]})
    assert one.tolist() == [[0, 0, 1, 0, 1, 1, 1]]
    assert GROUPS.label(one[0]) == "digit=2 domain=Textured traits=bold+round"
    rows = GROUPS.matching({"domain": ["plain", "Textured"]})
    assert [GROUPS.names(row)["digit"] + GROUPS.names(row)["domain"] for row in rows] == [
        [digit, domain] for domain in ("plain", "Textured") for digit in "012"
    ]
    assert not rows[:, 5:].any()


def test_combinations_go_round_all_pairs_once():
    rows = torch.stack([GROUPS.combination(i) for i in range(12)])
    assert len(rows[:6].unique(dim=0)) == GROUPS.num_combinations == 6
    assert torch.equal(rows[:6], rows[6:])
    assert torch.equal(rows[:6], GROUPS.matching({}))
    GROUPS.check(rows, "combinations")


def test_shows_finds_the_images_of_a_partial_choice():
    rows = GROUPS.matching({})
    assert (
        GROUPS.shows(rows, {"digit": ["0", "2"], "domain": "plain"}).tolist()
        == [True, False, True] + [False] * 3
    )
    bold = rows.clone()
    bold[0, 5] = 1
    assert GROUPS.shows(bold, {"traits": ["bold"]}).tolist() == [True] + [False] * 5


def test_counts_of_combinations_become_a_fact():
    rows = GROUPS.matching({})[[0, 4, 4, 4]].byte()
    facts = attribute_facts(GROUPS, rows, 16)
    assert sorted(facts["attribute_counts"]) == [[[0, 3], 1], [[1, 4], 3]]
    assert (facts["num_classes"], facts["num_attributes"], facts["attribute_groups"]) == (0, 7, SPEC)


def test_facts_of_very_many_combinations_leave_the_counts_out():
    groups = AttributeGroups.from_config({"traits": {"any_of": [f"t{i}" for i in range(12)]}})
    rows = torch.tensor([[int(bit) for bit in f"{i:012b}"] for i in range(2001)])
    assert "attribute_counts" not in attribute_facts(groups, rows, 16)
    assert "attribute_counts" in attribute_facts(groups, rows[:2000], 16)


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ({}, "must map group names to attribute names"),
        ({"a": "xy"}, r"group 'a' must be a list of names, or dict\(any_of"),
        ({"a": {"anyof": ["x"]}}, "group 'a' must be a list"),
        ({"a": ["x"]}, r"'a' has one name only, 'x'.*dict\(any_of=\['x'\]\)"),
        ({"a": ["x", "y", "x"]}, "'a' has a name twice: x, y, x"),
        ({"type": ["x", "y"]}, "'type' cannot be a group's name"),
    ],
)
def test_bad_groups_are_named(spec, message):
    with pytest.raises(ValueError, match=message):
        AttributeGroups.from_config(spec)


@pytest.mark.parametrize(
    ("choice", "message"),
    [
        (
            {"dmain": "plain"},
            r"no attribute group 'dmain'. Did you mean 'domain'\?.*digit \(one of 0, 1, 2\)",
        ),
        ({"domain": "plane"}, r"group 'domain' has no 'plane'. Did you mean 'plain'\?"),
        ({"digit": 3}, "group 'digit' has no '3'. Known: 0, 1, 2"),
        ({"digit": []}, "group 'digit': nothing chosen"),
    ],
)
def test_unknown_choices_suggest_names(choice, message):
    with pytest.raises(ValueError, match=message):
        GROUPS.matching(choice)


def test_too_many_combinations_are_not_listed():
    groups = AttributeGroups.from_config({name: [str(i) for i in range(30)] for name in "abc"})
    with pytest.raises(ValueError, match="27,000 combinations of attributes are too many"):
        groups.matching({})
    assert len(groups.matching({"a": "1"})) == 900


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ([1, 1, 0, 1, 0, 0, 0], r"image 1 has \['0', '1'\] of digit .* exactly one"),
        ([1, 0, 0, 0, 0, 1, 1], "image 1 has none of domain"),
        ([1, 0, 0, 2, -1, 0, 0], "must be 0 or 1"),
    ],
)
def test_rows_that_break_a_group_are_named(row, message):
    rows = torch.stack([GROUPS.combination(0), torch.tensor(row).float()])
    with pytest.raises(ValueError, match=f"my set: .*{message}"):
        GROUPS.check(rows, "my set")
