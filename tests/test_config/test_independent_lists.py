"""Every row of the two independent lists of mistakes is named before a folder exists, or is no mistake."""

import copy
import warnings

import pytest
import torch

from mmcgan.apis.training import train
from mmcgan.config.load import prepare_config
from mmcgan.config.notices import notices
from mmcgan.engine.prepared import prepared_for
from tests.test_config.further_mistakes import FURTHER
from tests.test_config.remaining import BUILT, BY_TRAIN, MEANT, MENDED, NOTICED
from tests.test_config.second_list import SECOND
from tests.test_config.test_planted import planted_into, unclear

LAPTOP = "omnigan_biggan_digits-16"
SILENT = {repr(row[:2]) for row in (*BUILT, *NOTICED, *MEANT, *BY_TRAIN)}
CHECKED = [row for row in (*SECOND, *MENDED) if repr(row) not in SILENT]


def planted(path, value):
    config = copy.deepcopy(planted_into(LAPTOP))
    *parents, last = path.split(".")
    content = config._cfg_dict
    for key in parents:
        content = content.setdefault(key, {})
    content[last] = copy.deepcopy(value)
    return config


def said(path, value):
    """Return what the check says about a config, and what is only a notice."""
    config = planted(path, value)
    found = prepare_config(config, {})
    return [str(problem) for problem in found or notices(config._cfg_dict)], bool(found)


def named(text):
    return f"{text[0]}={str(text[1])[:40]}"


def test_no_row_is_left_out():
    # of those that the check leaves to others, 31 are of the first list and the rest of the second
    assert len(FURTHER) + len(MENDED) + 31 == 281
    assert len(SECOND) == 221


@pytest.mark.parametrize("part", range(8))
@pytest.mark.slow
def test_all_mistakes_are_named(part):
    assert unclear(CHECKED[part::8]) == {}


def test_a_share_of_the_mistakes_is_named():
    assert unclear(CHECKED[::12]) == {}


@pytest.mark.parametrize("row", NOTICED[::3], ids=named)
def test_what_has_no_effect_is_a_notice(row):
    sentences, refused = said(*row)
    assert sentences
    assert not refused


@pytest.mark.slow
@pytest.mark.parametrize("row", NOTICED, ids=named)
def test_all_that_has_no_effect_is_a_notice(row):
    sentences, refused = said(*row)
    assert sentences
    assert not refused


@pytest.mark.slow
@pytest.mark.parametrize("row", MEANT, ids=named)
def test_what_may_be_meant_is_taken_in_silence(row):
    assert said(*row[:2]) == ([], False)


@pytest.mark.parametrize("row", BUILT, ids=named)
def test_what_files_are_is_found_before_the_folder(row):
    config = planted(*row)
    if prepare_config(config, {}):
        return  # sooner still
    with pytest.raises((ValueError, OSError, ImportError)), prepared_for(config):
        pytest.fail("it was built")


@pytest.mark.parametrize("row", BY_TRAIN, ids=named)
def test_what_the_machine_lacks_is_found_before_the_folder(row, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    config = planted(*row)
    assert prepare_config(config, {}) == []
    with pytest.raises(ValueError):
        train(config)
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_is_no_data_set_leaves_no_folder(tmp_path):
    config = planted("train_dataloader.dataset.split", "train")
    config._cfg_dict["val_evaluator"]["extractor"] = {"type": "SmallSegmenter"}
    assert prepare_config(config, {}) == []
    with warnings.catch_warnings(), pytest.raises(ValueError, match="class logits"):
        warnings.simplefilter("ignore")
        train(config, tmp_path / "run")
    assert not (tmp_path / "run").exists()
