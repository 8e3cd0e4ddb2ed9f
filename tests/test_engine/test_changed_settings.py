"""Settings of every kind changed before a run goes on; tests/campaigns/changed_settings.py runs them all."""

import pytest
from mmengine.hooks import Hook

from mmcgan.checkpoints.files import load_checkpoint, save_checkpoint
from mmcgan.checkpoints.literals import assignments
from mmcgan.engine import changes as module
from mmcgan.engine.changes import ConfigChangedError, changes_allowed, changes_since, training_changes
from mmcgan.registry import HOOKS

from .changed_settings import CASES, STOPPED, TAKEN, go, settings_of
from .judged_changes import judge, stopped_run
from .tiny_run import differences, tiny_config, train

#: those that are run here: one of each kind of effect
RUN = (
    *("workers", "defaults of a network", "seed left out", "a plugin's hook that watches"),
    *("batch size", "no scheduler hook", "a loss more", "dimensions"),
)


@pytest.mark.parametrize("name", CASES)
def test_a_changed_setting_is_taken_or_named(name, tmp_path):
    case = CASES[name]
    before = tiny_config(tmp_path, **settings_of({})).to_dict()
    now = tiny_config(tmp_path, **settings_of(case.changes)).to_dict()
    before.setdefault("randomness", dict(seed=3))
    now.setdefault("randomness", dict(seed=3))
    found = training_changes(before, now, dict.fromkeys(("generator", "discriminator"), "float32"))
    if case.verdict == TAKEN:
        assert found == []
        return
    text = "\n".join(map(str, found))
    assert case.named in text


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A run of the config that has one of everything."""
    return stopped_run(tmp_path_factory.mktemp("untouched"))


@pytest.mark.parametrize("name", RUN)
def test_what_comes_of_a_changed_setting(name, run, tmp_path):
    assert judge(name, run, tmp_path) == []


def resumed(run, folder, changes, **more):
    save_checkpoint(run.half, folder / f"iter_{STOPPED}.pth")
    with changes_allowed(True):
        return go(folder, changes, resume=True, **more)


def test_another_seed_draws_other_numbers_from_there_on(run, tmp_path):
    runner = resumed(run, tmp_path, {"randomness.seed": 4})
    assert runner.seed == runner.model.random.seed == 4


def test_a_new_average_starts_as_the_generator(tmp_path):
    without = {"model.ema": False, "removed": ["default_hooks.generator_ema"]}
    train(tmp_path, **without, **{"train_cfg.max_iters": 3})
    generator = load_checkpoint(tmp_path / "iter_3.pth")["state_dict"]
    with changes_allowed(True):
        runner = train(tmp_path, resume=True, **{"train_cfg.max_iters": 3})
    for name, value in runner.model.generator_ema.state_dict().items():
        assert differences(value, generator[f"generator.{name}"]) == []
    logs = [path.read_text() for path in tmp_path.glob("*/*.log")]
    assert any("of the new average start as the generator's" in log for log in logs)


def test_numbers_that_a_hook_had_set_are_the_configs_again_without_it(tmp_path):
    decay = dict(kind="constant", value=0.5)
    hook = dict(type="ScheduleHook", values={"optimizer.generator.weight_decay": decay})
    train(tmp_path, custom_hooks=[hook], **{"train_cfg.max_iters": 3})
    with changes_allowed(True):
        runner = train(tmp_path, resume=True, **{"train_cfg.max_iters": 3})
    assert [group["weight_decay"] for group in runner.optim_wrapper["generator"].optimizer.param_groups] == [
        0
    ]


@HOOKS.register_module(force=True)
class SilentHook(Hook):
    """A plugin's, which does not say whether it changes the training."""

    def __init__(self, factor: float = 0.9) -> None:
        self.factor = factor


@pytest.mark.parametrize("later", [[], [dict(type="SilentHook", factor=0.5)]])
def test_a_hook_that_says_nothing_of_itself_is_told_of(later):
    before = "custom_hooks = [dict(type='SilentHook')]"
    stored = dict(meta=dict(cfg=before, seed=0))
    assert changes_since(stored, before, "x.pth") == ([], [])
    changes, (note,) = changes_since(stored, f"custom_hooks = {later}", "x.pth")
    assert changes == []
    assert "SilentHook is not the same in both configs, and does not say whether it changes" in note


@pytest.mark.parametrize(
    ("hook", "follows"),
    [
        (dict(type="ScheduleHook", values={"a.b": dict(kind="cosine", start=1.0, end=0.0)}), True),
        (dict(type="ScheduleHook", values={"a.b": dict(kind="cosine", start=1.0, end=0.0, until=9)}), False),
        (dict(type="ScheduleHook", values={"a.b": dict(kind="constant", value=1.0)}), False),
        (dict(type="WeightDecayScheduleHook", generator=dict(kind="linear", start=1.0, end=0.0)), True),
    ],
)
def test_the_end_of_training_counts_where_a_schedule_goes_by_it(hook, follows):
    """Iterations that are over have gone by the old end: the run would be neither of the two."""
    before, now = (dict(train_cfg=dict(max_iters=count), custom_hooks=[hook]) for count in (4, 8))
    found = [str(change) for change in training_changes(before, now)]
    assert found == (
        [f"train_cfg.max_iters, by which {hook['type']} goes (name `until` instead): 4 -> 8"]
        if follows
        else []
    )


def test_processes_share_a_batch():
    one, half = (dict(train_dataloader=dict(batch_size=size)) for size in (8, 4))
    assert training_changes(one, half, processes=(1, 2)) == []
    (change,) = training_changes(one, one, processes=(1, 2))
    assert str(change) == "train_dataloader.batch_size: 8 in 1 process(es) -> 8 in 2 process(es)"


def test_more_processes_than_before_are_named(run, tmp_path, monkeypatch):
    monkeypatch.setattr(module, "get_world_size", lambda: 2)
    text = tiny_config(tmp_path, **settings_of({})).pretty_text
    with pytest.raises(ConfigChangedError, match=r"16 in 1 process\(es\) -> 16 in 2"):
        changes_since(run.half, text, "x.pth")
    shared = tiny_config(tmp_path, **settings_of({"train_dataloader.batch_size": 8})).pretty_text
    (note,) = changes_since(run.half, shared, "x.pth")[1]
    assert "sums are rounded otherwise" in note


ODD = (
    "a = dict({'x.y': 1, '*.bias': dict(lr_mult=2)})",
    "a = dict(bound=inf)",
    "a = dict(kind=torch.float32)",
    "a = [-inf, dict(b=nan)]",
)


@pytest.mark.parametrize("text", ODD)
def test_odd_values_are_compared_too(text):
    """Keys that are no names and numbers that are no literals had kept whole configs from being compared."""
    stored = dict(meta=dict(cfg=f"{text}\nbatch = 3", seed=0))
    assert changes_since(stored, f"{text}\nbatch = 3", "x.pth") == ([], [])
    with pytest.raises(ConfigChangedError, match="batch: 3 -> 4"):
        changes_since(stored, f"{text}\nbatch = 4", "x.pth")
    other = text.replace("1", "5").replace("inf", "7").replace("float32", "float64")
    with pytest.raises(ConfigChangedError):
        changes_since(stored, f"{other}\nbatch = 3", "x.pth")


def test_a_config_that_cannot_be_read_is_no_free_pass():
    stored = dict(meta=dict(cfg="a = <function f>", seed=0))
    assert changes_since(stored, "a = <function f>", "x.pth") == ([], [])
    with pytest.raises(ConfigChangedError, match="cannot be compared"):
        changes_since(stored, "a = 1", "x.pth")
    with changes_allowed(True):
        assert len(changes_since(stored, "a = 1", "x.pth")[0]) == 1


def test_keys_that_are_no_names_are_read_as_mmengine_writes_them():
    assert assignments("a = dict({'x.y': 1, '*': dict(b=2)})") == {"a": {"x.y": 1, "*": {"b": 2}}}
    with pytest.raises(ValueError, match="dict"):
        assignments("a = dict(f())")
