"""A machine without memory says so in a sentence, with how much was asked for; what cannot fit is refused."""

import builtins
from types import FunctionType

import numpy as np
import pytest
import torch

from mmcgan import memory
from mmcgan.allocations import TooLargeError, bounded
from mmcgan.cli import main
from mmcgan.datasets.conditions.drawn_conditions import DrawnConditionDataset
from mmcgan.evaluation.evaluator import GenerationEvaluator
from mmcgan.memory import check_order
from mmcgan.out_of_memory import memory_sentence

HUGE = 1 << 50


def of_torch():
    torch.empty(HUGE, dtype=torch.uint8)


def of_numpy():
    np.empty(HUGE, dtype=np.uint8)


def of_python():
    bytearray(1 << 62)


def of_a_gpu():
    raise torch.OutOfMemoryError(
        "CUDA out of memory. Tried to allocate 1048576.00 GiB. GPU 0 has a total ..."
    )


ASKERS = {of_torch: "1,125,899.9 GB", of_numpy: "1,125,899.9 GB", of_python: None, of_a_gpu: "1,125,899.9 GB"}


@pytest.mark.parametrize("asker", ASKERS)
def test_a_command_without_memory_says_so(asker, monkeypatch, capsys):
    monkeypatch.delenv("MMCGAN_DEBUG", raising=False)
    monkeypatch.setattr("mmcgan.commands.list_models.run", lambda arguments: asker())
    assert main(["list"]) == 2
    said = capsys.readouterr().err
    assert said.startswith("mmcgan: error: ") and "memory does not suffice" in said and said.count("\n") == 1
    assert ("the GPU's" in said) == (asker is of_a_gpu)
    assert ASKERS[asker] is None or f"for {ASKERS[asker]} more" in said


def test_other_errors_are_none_of_memory():
    others = [RuntimeError("shapes do not match"), ValueError("memory"), OSError("no space"), KeyError("GiB")]
    assert [memory_sentence(error) for error in others] == [None] * len(others)


def test_what_is_a_sentence_already_stays_it():
    with pytest.raises(TooLargeError) as caught, bounded(0):
        torch.empty(2 << 30, dtype=torch.uint8)
    assert memory_sentence(caught.value) == str(caught.value)


def test_errors_of_memory_keep_their_traceback_for_debugging(monkeypatch):
    fail = FunctionType(of_numpy.__code__, {"np": np, "HUGE": HUGE, "__builtins__": builtins})
    monkeypatch.setenv("MMCGAN_DEBUG", "1")
    monkeypatch.setattr("mmcgan.commands.list_models.run", lambda arguments: fail())
    with pytest.raises(MemoryError):
        main(["list"])


def test_an_order_that_does_not_fit_is_refused_and_one_that_does_is_not(monkeypatch):
    monkeypatch.setattr(memory, "available_memory", lambda: 4_000_000)
    check_order(100_000, "images")
    with pytest.raises(ValueError, match=r"images: the order of 100,001 images alone would take 0\.0 GB"):
        check_order(100_001, "images")
    monkeypatch.setattr(memory, "available_memory", lambda: None)  # where the system does not say
    check_order(HUGE, "images")


def test_more_images_than_memory_for_their_order_are_refused_before_any_is_made():
    evaluator = GenerationEvaluator(
        extractor=dict(type="SmallClassifier", weights="digits-16"), metrics=dict(type="InceptionScore")
    )
    sampler = dict(type="UniformLabel", num_classes=10)
    for size in (1000, HUGE):
        asked = DrawnConditionDataset(size, sampler, latent_dim=4)
        if size == HUGE:
            with pytest.raises(ValueError, match="order of 1,125,899,906,842,624 images"):
                evaluator.dataset_meta = asked.metainfo
        else:
            evaluator.dataset_meta = asked.metainfo
