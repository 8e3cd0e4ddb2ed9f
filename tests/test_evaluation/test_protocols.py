import pytest

from mmcgan.config import load_config
from mmcgan.evaluation.report.metric_names import available_names, metric_configs
from mmcgan.evaluation.report.protocols import PROTOCOLS, apply_protocol, find_protocol, override
from mmcgan.evaluation.report.sweep import Sweep, run_sweep
from mmcgan.extractors import RESIZE_RULES
from mmcgan.extractors.inception import NORMALIZATIONS
from mmcgan.registry import DATASETS, EXTRACTORS, GENERATION_METRICS
from tests.test_evaluation import stand_ins


@DATASETS.register_module(force=True)
class SplitColours(stand_ins.ColourDataset):
    def __init__(self, split="train", size=30):
        if split == "val":
            raise ValueError("SplitColours: split must be one of train, test; got 'val'")
        super().__init__(size if split == "train" else 12, split=split)


def config(dataset=None):
    reference = {"dataset": dataset or dict(type="SplitColours", split="train"), "path": "old.safetensors"}
    evaluator = dict(extractor=dict(type="MeanColour"), metrics=[dict(type="FID")], reference=reference)
    return dict(test_evaluator=evaluator, test_dataloader=dict(dataset=dict(size=7, num_classes=3)))


@pytest.mark.parametrize("name", PROTOCOLS)
def test_every_protocol_is_made_of_things_that_exist(name):
    protocol = PROTOCOLS[name]
    EXTRACTORS.require(protocol.extractor["type"])
    assert protocol.extractor.get("resize", "clean") in RESIZE_RULES
    assert protocol.extractor.get("normalization", "tf") in NORMALIZATIONS
    assert protocol.source and protocol.title
    for metric in protocol.metrics:
        if metric["type"] in GENERATION_METRICS.names():
            GENERATION_METRICS.build(dict(metric))


def test_the_protocol_decides_extractor_metrics_split_and_count():
    cfg = config()
    protocol = apply_protocol(cfg, "reacgan")
    assert cfg["test_evaluator"]["extractor"]["resize"] == "legacy"
    assert cfg["test_evaluator"]["reference"]["dataset"] == dict(type="SplitColours", split="test")
    assert cfg["test_dataloader"]["dataset"]["size"] == 12  # as many as there are real images
    assert "path" not in cfg["test_evaluator"]["reference"]  # made for another protocol
    assert protocol.seeds == (0, 1, 2)
    apply_protocol(cfg, "tf-2015")
    assert cfg["test_evaluator"]["reference"]["dataset"]["split"] == "train"
    assert cfg["test_dataloader"]["dataset"]["size"] == 50_000
    assert [metric["type"] for metric in cfg["test_evaluator"]["metrics"]] == ["FID", "InceptionScore"]


def test_the_split_of_the_real_images_can_be_chosen():
    cfg = config()
    override(cfg, real_split="test")
    assert cfg["test_evaluator"]["reference"] == {"dataset": dict(type="SplitColours", split="test")}
    with pytest.raises(ValueError, match="split must be one of train, test; got 'val'"):
        override(cfg, real_split="val")
    with pytest.raises(ValueError, match="the real split 'test': PackedDataset has no splits"):
        override(config(dict(type="PackedDataset", root="nowhere")), real_split="test")
    cfg["test_evaluator"]["reference"] = None
    with pytest.raises(
        ValueError, match="the real split 'test': the evaluation compares with no real images"
    ):
        override(cfg, real_split="test")


def test_applying_a_protocol_leaves_the_table_alone():
    cfg = config()
    apply_protocol(cfg, "studiogan-clean")
    cfg["test_evaluator"]["extractor"]["weights"] = "mine.pth"
    cfg["test_evaluator"]["metrics"][0]["type"] = "Other"
    assert "weights" not in PROTOCOLS["studiogan-clean"].extractor
    assert PROTOCOLS["studiogan-clean"].metrics[0]["type"] == "FID"


def test_mistakes_are_named():
    with pytest.raises(ValueError, match=r"no protocol 'studiogan-claen'\. Did you mean 'studiogan-clean'"):
        find_protocol("studiogan-claen")
    cfg = config()
    cfg["test_evaluator"]["reference"] = None
    with pytest.raises(ValueError, match="test_evaluator names no reference"):
        apply_protocol(cfg, "tf-2015")
    with pytest.raises(ValueError, match=r"needs the split val or test: .*unknown split"):

        @DATASETS.register_module(name="NoSplit", force=True)
        def _refuse(split):
            raise ValueError(f"unknown split {split}")

        apply_protocol(config(dict(type="NoSplit", split="train")), "ic-gan")


def test_short_names_give_configs_once_each():
    assert metric_configs(["fid", "is", "fid"]) == [dict(type="FID"), dict(type="InceptionScore")]
    with pytest.raises(ValueError, match=r"no metric 'fidd'\. Did you mean 'fid'"):
        metric_configs(["fidd"])


def test_the_whole_suite_is_asked_for_whatever_can_be_computed():
    everything = {config["type"] for config in metric_configs(["all"])}
    assert {"FID", "InceptionScore", "ConditionalAccuracy", "KID", "FIDInfinity"} <= everything
    assert "is10" in available_names() and len(metric_configs(["all"])) == len(everything)


@pytest.mark.parametrize("order", [["all", "kid:subset_size=50"], ["kid:subset_size=50", "all"]])
def test_settings_of_a_metric_of_the_suite_stand_in_for_its_own(order):
    kinds = [config for config in metric_configs(order) if config["type"] == "KID"]
    assert kinds == [dict(type="KID", subset_size=50)]


def test_overrides_replace_what_the_config_says():
    cfg = load_config("biggan_digits-16")
    override(cfg, metrics=["is10"], extractor=dict(type="InceptionV3"), images=12)
    assert cfg.test_evaluator["metrics"] == [dict(type="InceptionScore", splits=10)]
    assert cfg.test_evaluator["extractor"]["type"] == "InceptionV3"
    assert cfg.test_dataloader["dataset"]["size"] == 12
    with pytest.raises(ValueError, match="number of images must be at least 1, got 0"):
        override(cfg, images=0)


def test_a_sweep_asks_for_every_seed_at_every_truncation():
    sweep = Sweep(seeds=(3, 4), truncations=(0.5, None))
    requests = list(sweep.requests(dict(type="ConditionDataset", size=9, seed=1)))
    assert [(r.truncation, r.seed) for r in requests] == [(0.5, 3), (0.5, 4), (None, 3), (None, 4)]
    assert requests[0].dataset == dict(type="ConditionDataset", size=9, seed=3, truncation=0.5)
    assert "truncation" not in requests[2].dataset and requests[3].dataset["seed"] == 4
    assert next(Sweep().requests(dict(seed=8))).seed == 8  # the config's own


def test_latents_stay_whole_for_a_generator_that_is_told_the_truncation():
    (request,) = Sweep(seeds=(1,), truncations=(0.5,)).requests(dict(size=2), narrow=False)
    assert request.truncation == 0.5 and request.dataset == dict(size=2, seed=1)


def test_a_sweep_averages_over_seeds_and_keeps_every_run():
    requests = list(Sweep(seeds=(1, 3), truncations=(1.0, None)).requests(dict(size=2)))
    entries = run_sweep(requests, lambda r: ({"fid": r.seed * (r.truncation or 10.0)}, None))
    assert [entry["truncation"] for entry in entries] == [1.0, None]
    assert entries[0]["summary"]["fid"] == {"mean": 2.0, "std": pytest.approx(2**0.5), "runs": 2}
    assert entries[1]["runs"] == [{"fid": 10.0}, {"fid": 30.0}]


@pytest.mark.parametrize(
    ("wrong", "phrase"),
    [
        (dict(truncations=(-1.0,)), "truncation must be a finite number of at least 0, got -1.0"),
        (dict(truncations=()), "truncations is empty"),
        (dict(seeds=(1, 1)), r"seeds \[1, 1\]: every one only once"),
    ],
)
def test_bad_sweeps_are_refused(wrong, phrase):
    with pytest.raises(ValueError, match=phrase):
        Sweep(**wrong)
