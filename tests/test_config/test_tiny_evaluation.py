"""check-config evaluates a few images: extractors and metrics that do not work are named there."""

from typing import ClassVar

import pytest

from mmcgan.apis.check import check_config
from mmcgan.config import load_config, tiny
from mmcgan.config.tiny_evaluation import EvaluationError, evaluations_of, try_evaluation
from mmcgan.datasets import GANDataset
from mmcgan.evaluation import GenerationMetric
from mmcgan.extractors import Extractor, ExtractorOutput, Preprocessing
from mmcgan.registry import DATASETS, EXTRACTORS, GENERATION_METRICS, restore, snapshot

NAME = "biggan_digits-16"


@pytest.fixture(scope="module")
def classes():
    """Register extractors and metrics that are wrong, for the tests of this module."""
    before = snapshot()

    class Features(Extractor):
        width, factor = 4, 1.0

        def __init__(self):
            super().__init__("four", Preprocessing(16))
            self.feature_dim = self.width
            self.freeze()

        def encode(self, pixels):
            return ExtractorOutput(pixels.mean((2, 3)).repeat(1, 2)[:, :4] * self.factor)

    class Metric(GenerationMetric):
        figures = ("mine",)
        value, name = 1.0, "mine"

        def reset(self):
            self.count = 0

        def update(self, output, condition):
            self.count += len(output.features)

        def merge(self):
            pass

        def compute(self):
            return {self.name: self.value}

    def raising(self, output, condition):
        raise RuntimeError("no licence")

    kinds: dict[str, tuple[type, dict]] = {
        "WithoutWeights": (Features, {}),
        "NoWidth": (Features, {"width": 0}),
        "OtherWidth": (Features, {"width": 5}),
        "NaNFeatures": (Features, {"factor": float("nan")}),
        "Good": (Metric, {}),
        "NaNFigure": (Metric, {"value": float("nan")}),
        "OtherKey": (Metric, {"name": "other"}),
        "TextFigure": (Metric, {"value": "much"}),
        "Raises": (Metric, {"update": raising}),
        "Silent": (Metric, {"figures": (), "name": "quiet"}),
        "Demanding": (Metric, {"least_generated": 1000, "update": raising}),
    }
    for name, (base, members) in kinds.items():
        registry = EXTRACTORS if base is Features else GENERATION_METRICS
        members = {"__module__": "stranger", **members}
        registry.register_module(name, module=type(name, (base,), members))
    yield
    restore(before)


@pytest.fixture(scope="module")
def trained():
    """Return the tiny config and a runner after its step."""
    found: ClassVar = []
    config = tiny.load_tiny_config(NAME)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tiny, "try_evaluation", lambda *given: found.append(given))
        tiny.run_tiny_step(config)
    return found[0]


def evaluate(trained, watched=None, **settings):
    """Evaluate with other settings of the evaluator, and a hook that watches a figure."""
    place, _, model, dataset, _ = trained
    config = {"default_hooks": {"checkpoint": {"save_best": watched}}}
    changed = {"val_evaluator": {**load_config(NAME).val_evaluator, **settings}}
    changed["val_dataloader"] = load_config(NAME).val_dataloader
    (evaluation,) = evaluations_of(changed).values()
    try_evaluation(place, evaluation, model, dataset, config)


def test_what_is_shipped_works(trained):
    evaluate(trained)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (dict(extractor=dict(type="NoWidth")), r"val_evaluator.extractor: NoWidth: `feature_dim` is 0"),
        (
            dict(extractor=dict(type="OtherWidth")),
            r"extractor \(OtherWidth\): .* returned float32 \(2, 4\), not features \(2, feature_dim=5\)",
        ),
        (dict(extractor=dict(type="NaNFeatures")), r"\(NaNFeatures\): features are NaN or infinite"),
        (dict(metrics=[dict(type="NaNFigure")]), "val_evaluator: NaNFigure: mine is nan, no finite number"),
        (
            dict(metrics=[dict(type="TextFigure")]),
            "TextFigure.compute under 'mine' returned a str, not a number",
        ),
        (
            dict(metrics=[dict(type="OtherKey")]),
            r"val_evaluator.metrics: 'other' is returned and not among figures=\['mine'\]",
        ),
        (
            dict(metrics=[dict(type="FID"), dict(type="Raises")]),
            r"val_evaluator.metrics.1 \(Raises\): no licence \(tried on 32 images; .*least_generated",
        ),
        (dict(metrics=[dict(type="Good"), dict(type="Good")]), "metrics.1 .*another metric returns 'mine'"),
        (
            dict(metrics=[dict(type="Silent")], watched="fid"),
            r"save_best: watches 'fid'; the metrics give quiet",
        ),
        (
            dict(reference=dict(dataset=dict(type="DigitsDataset", split="trian", image_size=16))),
            "val_evaluator.reference.dataset: .*trian",
        ),
    ],
)
def test_what_does_not_work_is_named(classes, trained, settings, message):
    with pytest.raises(EvaluationError, match=message):
        evaluate(trained, **settings)


def test_a_data_set_with_one_split_only_is_not_blamed(classes, trained, tmp_path):
    class OneSplit(GANDataset):
        def __init__(self, split: str = "train"):
            if split != "train":
                raise ValueError(f"there is no split {split!r}")
            self.digits = DATASETS.build(dict(type="DigitsDataset", image_size=16))
            self.classes, self.labels = self.digits.classes, self.digits.labels

        @classmethod
        def facts(cls, split: str = "train"):
            return dict(image_size=16)

        @property
        def metainfo(self):
            return self.digits.metainfo

        def __len__(self):
            return len(self.digits)

        def __getitems__(self, indices):
            return self.digits.__getitems__(indices)

    OneSplit.__module__ = "stranger"
    DATASETS.register_module(module=OneSplit)
    evaluate(trained, reference=dict(dataset=dict(type="OneSplit")))


def test_an_extractor_without_weights_works(classes, trained):
    evaluate(trained, extractor=dict(type="WithoutWeights"), metrics=[dict(type="FID")])


def test_a_metric_that_needs_more_images_is_not_blamed(classes, trained):
    evaluate(trained, metrics=[dict(type="FID"), dict(type="Demanding")])


def test_the_command_says_it(classes, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.py").write_text(
        f'_base_ = "{{{{$MMCGAN_CONFIGS:}}}}/biggan/{NAME}.py"\n'
        'val_evaluator = dict(metrics=[dict(type="FID"), dict(type="Raises")])\n'
        'default_hooks = dict(checkpoint=dict(save_best="fid"))\n'
    )
    result = check_config(tmp_path / "mine.py")
    assert not result.passed and "val_evaluator.metrics.1 (Raises): no licence" in result.error
