"""``precision='auto'`` of the optimisers: chosen at the start, kept by checkpoints."""

import logging

import pytest
import torch
from torch import nn

from mmcgan import precision
from mmcgan.optim import GANOptimWrapper
from mmcgan.optim.wrapper import precision_notes
from mmcgan.precision import Choice

FAST, SLOW = Choice("bfloat16", 2.0, "measured"), Choice("float32", 0.1, "emulated")


def wrapper(setting, choice, monkeypatch):
    """Return an optimiser built on a machine where ``auto`` is ``choice``."""
    monkeypatch.setattr(precision, "measure", lambda kind: choice)
    return GANOptimWrapper(torch.optim.Adam([nn.Parameter(torch.ones(2))]), precision=setting)


def computed_in(optimiser):
    with optimiser.autocast():
        return str((torch.ones(2, 2) @ torch.ones(2, 2)).dtype).removeprefix("torch.")


@pytest.mark.parametrize("choice", [FAST, SLOW], ids=["fast", "slow"])
def test_auto_computes_in_what_is_fast_and_says_so(choice, monkeypatch):
    optimiser = wrapper("auto", choice, monkeypatch)
    assert computed_in(optimiser) == optimiser.precision == choice.precision
    assert optimiser.notes == [(logging.INFO, f"precision auto: {choice.precision} ({choice.reason})")]
    assert precision_notes([optimiser, optimiser]) == optimiser.notes


@pytest.mark.parametrize(("there", "here"), [(FAST, SLOW), (SLOW, FAST)], ids=["to slow", "to fast"])
def test_a_resumed_run_keeps_its_precision_on_another_machine(there, here, monkeypatch):
    state = wrapper("auto", there, monkeypatch).state_dict()
    assert state["precision"] == there.precision
    optimiser = wrapper("auto", here, monkeypatch)
    optimiser.load_state_dict(state)
    assert computed_in(optimiser) == there.precision
    ((level, note),) = optimiser.notes
    assert level == logging.WARNING
    assert f"precision {there.precision}, as in the checkpoint" in note
    assert "--resume --allow-changes --cfg-options optim_wrapper.precision=" in note  # refused without
    assert note.endswith(f"--cfg-options optim_wrapper.precision={here.precision}")


def test_the_same_machine_resumes_without_a_warning(monkeypatch):
    state = wrapper("auto", FAST, monkeypatch).state_dict()
    optimiser = wrapper("auto", FAST, monkeypatch)
    optimiser.load_state_dict(state)
    assert [level for level, _ in optimiser.notes] == [logging.INFO]


def test_a_precision_in_the_config_goes_before_the_checkpoints(monkeypatch):
    state = wrapper("auto", FAST, monkeypatch).state_dict()
    optimiser = wrapper("float32", SLOW, monkeypatch)
    optimiser.load_state_dict(state)
    assert computed_in(optimiser) == "float32"
    ((level, note),) = optimiser.notes
    assert level == logging.WARNING
    assert "trained in bfloat16, this run goes on in float32 (as the config says)" in note


def test_a_checkpoint_without_a_record_leaves_the_choice(monkeypatch):
    state = wrapper("auto", FAST, monkeypatch).state_dict()
    del state["precision"]
    optimiser = wrapper("auto", SLOW, monkeypatch)
    optimiser.load_state_dict(state)
    assert computed_in(optimiser) == "float32"


def test_float16_of_another_machine_cannot_be_kept_without_cuda(monkeypatch):
    state = {**wrapper("float32", SLOW, monkeypatch).state_dict(), "precision": "float16", "scaler": {}}
    optimiser = wrapper("auto", SLOW, monkeypatch)
    optimiser.load_state_dict(state)
    assert optimiser.precision == "float32"
    assert "float16 needs a CUDA device" in optimiser.notes[-1][1]


def test_a_slow_precision_that_the_config_names_is_warned_of(monkeypatch):
    ((level, note),) = wrapper("bfloat16", SLOW, monkeypatch).notes
    assert level == logging.WARNING
    assert "here auto would be float32 (emulated)" in note
    assert note.endswith("to change it: --cfg-options optim_wrapper.precision=float32")
    assert wrapper("bfloat16", FAST, monkeypatch).notes == []
    assert wrapper("float32", FAST, monkeypatch).notes == []
