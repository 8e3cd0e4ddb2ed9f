"""The benchmark of small sets: its grid, its moments of reading, and configs that load."""

import json
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from PIL import Image

from mmcgan.proposal import families
from mmcgan.proposal.choices import Method, Width
from mmcgan.proposal.config_text import Source, config_text, pace
from mmcgan.registry import DATASETS

FOLDER = Path(__file__).resolve().parent.parent / "benchmarks"


@pytest.fixture(scope="module")
def parts():
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(FOLDER))
        import small_sets
        import small_sets_configs
        import small_sets_data
        import small_sets_reading

        # the extra weights need not be there
        patch.setitem(small_sets_data.FROZEN, "pretrained", False)
        patch.setattr(families, "frozen_network", lambda size: small_sets_data.FROZEN)
        yield small_sets, small_sets_configs, small_sets_data, small_sets_reading
    for name in [name for name in sys.modules if name.startswith("small_sets")]:
        del sys.modules[name]


def test_the_grid_is_whole_and_begins_with_what_the_question_needs(parts):
    names = [each.name for each in parts[0].order()]
    assert len(names) == len(set(names)) == 4 * 4 * 5
    assert all(name.startswith("fashion-1_") and "omni" in name for name in names[:4])


def test_readings_are_due_once_at_each_doubling(parts):
    seen, last = [], 0.0
    for now in range(0, 200, 7):
        if parts[3]._passed(22.5, last, now):
            seen.append(now)
            last = now
    assert seen == [28, 49, 91, 182]


@pytest.fixture(scope="module")
def state(parts, tmp_path_factory):
    """Images and a store of a set, as the benchmark keeps them."""
    chosen, folder = parts[2].SETS["fashion-1"], tmp_path_factory.mktemp("state")
    for number in range(128):
        of_class = chosen.folder(folder) / "train" / "ab"[number % 2]
        of_class.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (32, 32), (number, number, number)).save(of_class / f"{number}.png")
    parts[2].prepare(chosen, folder, None, instances=True)
    return folder


@pytest.mark.parametrize("kind", ["unconditional", "omni", "instance"])  # all that is proposed
@pytest.mark.parametrize("family", ["biggan-diffaug", "stylegan2-ada", "r3gan", "fastgan-projected"])
def test_what_was_measured_is_what_is_proposed(parts, state, family, kind, tmp_path):
    """Networks, losses, rates, averages and schedules: else the figures speak for something else."""
    from mmcgan.config import load_config

    _, configs, data, _ = parts
    chosen = data.SETS["fashion-1"]
    batch = 64 * families.NETWORKS[family].batches
    method = Method(kind, family, empirical=True, policy=chosen.policy, flip=False)
    source = Source(str(chosen.folder(state) / "train"), 128, chosen.store(state))
    texts = {
        "measured": configs.config_text(configs.Setting(chosen, family, kind), state),
        "proposed": config_text(source, method, Width(32, configs.WIDTH, 64), configs.HORIZON // batch),
    }
    read = {}
    for name, text in texts.items():
        path = tmp_path / f"{name}.py"
        path.write_text(text)
        read[name] = load_config(path)
    for each in read.values():
        if kind == "instance":
            DATASETS.build(each.train_dataloader.dataset)  # the store is of these very images
        each.model.data_preprocessor.setdefault("flip_probability", 0.0)
        each.model.condition_sampler.pop("dataset", None)  # of another spelling of the same images
    assert read["measured"].model == read["proposed"].model
    assert read["measured"].optim_wrapper == read["proposed"].optim_wrapper
    assert read["measured"].train_dataloader.batch_size == read["proposed"].train_dataloader.batch_size
    for hook in ("generator_ema", "schedule"):
        assert read["measured"].default_hooks.get(hook) == read["proposed"].default_hooks.get(hook)


class JudgeWithoutImages:
    """Stands for the real images, which need not be installed."""

    network = SimpleNamespace(weights_hash="0" * 64)

    def __init__(self, chosen, state):
        pass

    def figures(self, images):
        return {"fid": float(images([0, 1]).std())}


def test_a_setting_is_trained_and_goes_on_with_a_larger_budget(parts, state, monkeypatch):
    """In folders that the training's own settings may be written to, twice."""
    bench, configs, data, _ = parts
    monkeypatch.setattr(bench, "Judge", JudgeWithoutImages)
    monkeypatch.setattr(bench.torch, "set_num_threads", lambda count: None)
    setting = configs.Setting(data.SETS["fashion-1"], "biggan-diffaug", "unconditional")
    found = []
    for more in range(2):
        spent = found[-1]["cpu_seconds"] if found else 0.0
        assert bench.train_one(setting, state, spent + 0.02) == 0, f"part {more + 1}"
        found.append(json.loads(bench.result_path(state, setting).read_text()))
    assert found[0]["iterations"] < found[1]["iterations"]
    assert found[0]["curve"] == found[1]["curve"][: len(found[0]["curve"])]
    assert bench.is_done(state, setting, spent + 0.02)
    assert bench.result_path(state, setting).with_suffix(".png").is_file()


@pytest.mark.parametrize(("iterations", "rate", "decay"), [(1500, 1e-3, 0.99), (20_000, 4e-4, 0.999)])
def test_a_run_of_minutes_learns_faster_than_one_of_hours(iterations, rate, decay):
    plan = families.Plan("omni", 32, 16, (), 64 * iterations)
    paced = pace(families.NETWORKS["biggan-diffaug"].parts(plan), iterations)
    assert {each["optimizer"]["lr"] for each in paced["optim_wrapper"].values()} == {rate}
    assert paced["default_hooks"]["generator_ema"] == {"decay": decay, "start": iterations // 20}


@pytest.mark.parametrize(("kind", "slower"), [("omni", 8), ("instance", 1), ("projection", 1)])
def test_a_discriminator_that_never_rests_learns_slower_on_frozen_features(kind, slower):
    plan = families.Plan(kind, 32, 16, (), 64 * 1500)
    paced = pace(families.NETWORKS["fastgan-projected"].parts(plan), 1500)["optim_wrapper"]
    rate = paced["generator"]["optimizer"]["lr"]
    assert paced["discriminator"]["optimizer"]["lr"] * slower == pytest.approx(rate)
