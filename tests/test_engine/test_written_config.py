"""A run's settings lie beside its checkpoints and replace nothing that somebody has written."""

import pytest
from mmengine.config import Config

from mmcgan.apis.training import train
from mmcgan.engine.written_config import MARK, refuse_own_config, write_config

from .tiny_run import tiny_config

WRITTEN_BY_HAND = {
    "commented": "{plain}# a note to myself\n",
    "inherited": "_base_ = './plain.py'\n",
    "computed": "{plain}_seed = 3\nrandomness = dict(seed=_seed)\n",
    "plain": "{plain}",
    "not a config": "import torch\n",
}


def written(folder, text):
    """Return the config file of the tiny run whose text is ``text``, with what it inherits beside it."""
    plain = tiny_config(folder).pretty_text
    (folder / "plain.py").write_text(plain)
    file = folder / "mine.py"
    file.write_text(text.format(plain=plain) if "{plain}" in text else text)
    return file


@pytest.mark.parametrize("kind", ["commented", "inherited", "computed", "plain"])
def test_a_config_in_its_own_work_folder_is_refused_before_anything_is_made(tmp_path, kind):
    file = written(tmp_path, WRITTEN_BY_HAND[kind])
    options = {"train_cfg.max_iters": 1} if kind == "plain" else None  # its own value would be lost
    before, names = file.read_text(), sorted(tmp_path.iterdir())
    with pytest.raises(FileExistsError, match=r"mine\.py was not written by a run"):
        train(file, tmp_path, options=options)
    assert file.read_text() == before and sorted(tmp_path.iterdir()) == names


def test_a_config_of_nothing_but_settings_loses_nothing_and_trains(tmp_path):
    plain = tiny_config(tmp_path, **{"train_cfg.max_iters": 1}).pretty_text
    file = tmp_path / "mine.py"
    file.write_text(plain)
    before = Config.fromfile(file).to_dict()
    train(file, tmp_path)
    after = Config.fromfile(file).to_dict()
    assert file.read_text().startswith(MARK) and before.items() <= after.items()


@pytest.mark.parametrize("kind", [kind for kind in WRITTEN_BY_HAND if kind != "plain"])
def test_a_file_put_among_a_run_s_checkpoints_is_kept(tmp_path, kind):
    train(tiny_config(tmp_path, **{"train_cfg.max_iters": 1}), tmp_path)
    file = written(tmp_path, WRITTEN_BY_HAND[kind])
    with pytest.raises(FileExistsError, match=r"mine\.py"):
        refuse_own_config(Config(filename=str(file)), tmp_path)


def test_a_run_goes_on_from_its_own_file_and_writes_it_anew(tmp_path):
    file = written(tmp_path, "{plain}# a note\n")
    run = tmp_path / "run"
    train(file, run, options={"train_cfg.max_iters": 1})
    own = run / "mine.py"
    assert own.read_text().startswith(MARK) and Config.fromfile(own).train_cfg.max_iters == 1
    train(own, run, resume=True, options={"train_cfg.max_iters": 2})
    assert Config.fromfile(own).train_cfg.max_iters == 2
    assert file.read_text().endswith("# a note\n")


def test_a_run_of_before_the_mark_goes_on(tmp_path):
    file = written(tmp_path, "{plain}")
    run = tmp_path / "run"
    train(file, run, options={"train_cfg.max_iters": 1})
    own = run / "mine.py"
    own.write_text(own.read_text().removeprefix(MARK))
    train(own, run, resume=True, options={"train_cfg.max_iters": 2})
    assert own.read_text().startswith(MARK)


def test_an_evaluation_leaves_the_settings_of_the_training(tmp_path):
    config = Config.fromfile(written(tmp_path, "{plain}"))
    run = tmp_path / "run"
    write_config(config, run, run / "log")
    before = (run / "mine.py").read_text()
    config.train_cfg = config.train_dataloader = None
    write_config(config, run, run / "log")
    assert (run / "mine.py").read_text() == before
    assert Config.fromfile(run / "log" / "mine.py").train_cfg is None


def test_other_kinds_of_file_are_written_as_they_are(tmp_path):
    file = tmp_path / "mine.json"
    file.write_text('{"train_cfg": {"max_iters": 1}}')
    run = tmp_path / "run"
    run.mkdir()
    write_config(Config.fromfile(file), run, tmp_path / "log")
    assert Config.fromfile(run / "mine.json").train_cfg.max_iters == 1
