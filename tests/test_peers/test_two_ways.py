"""Names and values of every format in both directions: what comes to us goes back bit by bit."""

from functools import cache
from itertools import product

import pytest
import torch

from mmcgan.peers import PEERS
from mmcgan.peers.translation import PeerFormat
from mmcgan.peers.translation.names import FirstApart, Slots, TorchHook, to_ours, to_theirs
from tests.test_peers.golden_files import cases_by_format

#: Every value of what decides names on the way back (``Writing.facts``).
CHOICES = {
    "statistics": ("stored", "mybn", "cross_replica"),
    "output_gain": ("own", "torch"),
    "norms": ("conditional", "plain"),
    "depth": (1, 2, 3),
    "nested": (True, False),
}
FACTS = [dict(zip(CHOICES, values, strict=True)) for values in product(*CHOICES.values())]
#: What the peer stores and our networks do not: buffers that follow from settings.
MADE = ("accumulation_counter", "resample_filter", "kernel", "Kernel")


@cache
def networks():
    """Return the golden networks, by format."""
    return cases_by_format(("network", "layer", "block"))


def goes_back(form, role, state):
    """Return whether some facts lead every name and value of ours to the peer's."""
    ours = form.convert_state(state, role)
    names = set(form.key_map(state, role).values())
    kept = {key: value for key, value in ours.items() if key in names}
    # a wrapper's prefix is read and not written
    plain = {key.removeprefix("Model."): value for key, value in state.items()}
    expected = {key for key in plain if key.rpartition(".")[2] not in MADE}
    for facts in FACTS:
        theirs = form.back_state(kept, role, facts)
        if theirs.keys() == expected:
            return all(torch.equal(theirs[key], plain[key]) for key in expected)
    return False


@pytest.mark.parametrize("name", list(PEERS))
def test_names_and_values_go_back(name):
    cases = networks().get(name)
    if not cases:
        pytest.skip(f"no golden network of {name}")
    form = PEERS[name]
    if type(form).key_map is not PeerFormat.key_map:
        pytest.skip(f"{name} renames by rules of its own, which only lead to ours")
    for case in cases:
        assert goes_back(form, form.role_of(case.spec), case.state()), case.path.name


TABLE = (
    ("drop", None),
    (None, "counter", ("kind", "plain")),
    Slots("list", "mark"),
    ("^list.{i}", "^blocks.{i}"),
    ("conv_{n}", "conv{n}"),
    ("stored", "running", ("kind", "plain")),
    ("below.stored", "running", ("kind", "nested")),
    TorchHook(),
)


def test_rows_undo_themselves():
    theirs = ["list.0.conv_1.weight_orig", "list.0.conv_1.weight_u", "list.0.conv_1.weight_v", "list.1.mark"]
    theirs += ["list.2.conv_12.weight", "list.2.stored"]
    names = to_ours(TABLE, [*theirs, "list.2.drop"])
    assert list(names.values()) == [
        "blocks.0.conv1.weight",
        "blocks.0.conv1.spectral.u0",
        "blocks.0.conv1.spectral.v0",
        "attention.0.mark",
        "blocks.1.conv12.weight",
        "blocks.1.running",
    ]
    ours = [*names.values(), "blocks.1.counter"]
    assert list(to_theirs(TABLE, ours, {"kind": "plain"}).values()) == theirs
    other = to_theirs(TABLE, ours, {"kind": "nested"})
    assert other["blocks.1.running"] == "list.2.below.stored" and "blocks.1.counter" in other


def test_rows_look_at_whole_segments():
    assert to_ours((("bn", "norm"),), ["abn.bn.bnx"]) == {"abn.bn.bnx": "abn.norm.bnx"}
    assert to_ours((("^bn", "^norm"), ("bn$", "end$")), ["bn.a.bn"]) == {"bn.a.bn": "norm.a.end"}


def test_a_first_block_outside_the_list():
    step = FirstApart("first", "blocks")
    keys = ["first.conv.weight", "blocks.0.conv.weight", "blocks.10.conv.weight"]
    moved = step.ours(keys)
    assert moved == ["blocks.0.conv.weight", "blocks.1.conv.weight", "blocks.11.conv.weight"]
    assert step.theirs(moved, {}) == keys
