"""A walk over every registered claim: what it trains can be configured, what it looks at will be there."""

import inspect
import re
from fnmatch import fnmatchcase

import pytest

from mmcgan.claims.figure import Evaluated, Logged, Measured
from mmcgan.claims.registry import all_claims
from mmcgan.claims.run import Run
from mmcgan.claims.source import Experiment, Shipped, Training
from mmcgan.config import ConfigError, find_config, load_config, parse_options, read_config
from mmcgan.evaluation.report.metric_names import metric_configs
from mmcgan.registry import GENERATION_METRICS

CLAIMS = all_claims()
ARMS = [(claim, arm) for claim in CLAIMS.values() for arm in claim.arms]
#: the issue's topics, each by a claim of its own
TOPICS = (
    *("weight-decay-prevents-collapse", "omnigan-over-acgan", "omnigan-two-sided", "one-sided-is-projection"),
    *("reacgan-feature-norms", "d2dce-over-2c", "d2dce-over-acgan", "d2dce-over-projection"),
    *("easy-negatives-grow", "easy-positives-grow", "tac-fits-the-mixture", "icgan-over-unconditional"),
    *("icgan-kmeans-over-random", "icgan-neighbourhood-size", "icgan-all-instances", "icgan-long-tail-few"),
    *("icgan-transfer", "icgan-noise-matters", "icgan-instance-matters", "omni-inr-beats-enlarging"),
    *("truncation-fidelity-biggan", "restoration-omni-inr-over-omnigan-psnr", "pixel-omni-over-spade"),
    *("multi-label-shows-what-it-has-seen", "diffaugment-with-1-percent", "ada-with-100-percent"),
    *("average-helps", "precision-changes-nothing"),
)


def settings_of(source, options, tmp_path):
    """Return the settings of a training, or of a test after it, whose stores need not be there."""
    texts = source.option_texts(Run(source, 1, 0.5, tmp_path), options)
    try:
        return load_config(source.config, parse_options(texts))
    except ConfigError as error:
        if not source.needs:
            raise
        # all that is wrong is that what comes before has not been made
        problems = [line for line in str(error).splitlines() if line.startswith("  - ")]
        wrong = [line for line in problems if str(tmp_path) not in line or "missing" not in line]
        assert problems and not wrong, str(error)
        config = read_config(find_config(source.config))
        config.merge_from_dict(parse_options(texts))
        return config


def logged(figure, config):
    hooks = [hook["type"] for hook in config.get("custom_hooks") or ()]
    if figure.key.startswith("diagnostics/"):
        return "DiscriminatorDiagnosticsHook" in hooks
    return given(figure.key, config.val_evaluator["metrics"])


def given(key, metrics):
    names = [name for row in metrics for name in GENERATION_METRICS.require(row["type"]).figures]
    return any(fnmatchcase(key, name) for name in names)


def test_every_topic_is_there():
    assert sorted(set(TOPICS) - set(CLAIMS)) == []


@pytest.mark.parametrize("claim", CLAIMS.values(), ids=list(CLAIMS))
def test_a_claim_says_what_it_is(claim):
    assert claim.statement.endswith(".") and claim.source and claim.published and claim.note.endswith(".")
    assert claim.minutes > 0, "nobody knows how long it takes"
    assert re.fullmatch(r"[a-z0-9-]+", claim.name)


def trainings():
    """Return each training with the figures that claims look at."""
    found = {}
    for claim, arm in ARMS:
        if isinstance(arm.source, Training):
            name = f"{arm.source.config} of {claim.name}"
            found.setdefault(repr(arm.source), (name, arm.source, []))[2].append(arm.figure)
    return [pytest.param(source, figures, id=name) for name, source, figures in found.values()]


@pytest.mark.parametrize(("training", "figures"), trainings())
def test_trainings_can_be_configured_and_give_their_figures(training, figures, tmp_path):
    config = settings_of(training, {}, tmp_path)
    assert config.randomness.seed == 1
    assert config.train_cfg.max_iters == Run(training, 1, 0.5, tmp_path).iterations
    assert all(logged(figure, config) for figure in figures if isinstance(figure, Logged))
    assert all(end <= config.train_cfg.max_iters for end in schedule_ends(config))


def schedule_ends(config):
    """Return the updates at which what the hooks schedule stops changing."""
    scheduled = [hook.get("values", {}).values() for hook in config.default_hooks.values() if hook]
    return [value["until"] for values in scheduled for value in values if "until" in value]


def test_a_share_of_a_training_schedules_the_same_share():
    claim = CLAIMS["growing-conditions-find-more-modes"]
    whole, part = (claim.better.source.settings(share) for share in (1, 0.25))
    scheduled = [key for key in whole if "growing" in key]
    assert scheduled and [part[key] for key in scheduled] == [whole[key] // 4 for key in scheduled]


def evaluations():
    """Return every evaluation of a trained model that a claim asks for."""
    found = {
        repr((arm.source, arm.figure)): pytest.param(arm.source, arm.figure, id=f"{claim.name}-{arm.label}")
        for claim, arm in ARMS
        if isinstance(arm.source, Training) and isinstance(arm.figure, Evaluated)
    }
    return list(found.values())


@pytest.mark.parametrize(("training", "figure"), evaluations())
def test_tests_can_be_configured_and_give_their_figure(training, figure, tmp_path):
    config = settings_of(training, figure.options, tmp_path)
    named = [name for name in figure.arguments if not name.startswith("--")][:1]
    assert given(figure.key, metric_configs(named) if named else config.test_evaluator["metrics"])


@pytest.mark.parametrize(
    "arm", [arm for _, arm in ARMS if isinstance(arm.source, Shipped | Experiment)], ids=lambda arm: arm.label
)
def test_shipped_models_are_there_and_experiments_are_measured(arm, tmp_path):
    run = Run(arm.source, 0, 1.0, tmp_path)
    assert run.folder.name == "seed_0"
    assert not isinstance(arm.source, Experiment) or isinstance(arm.figure, Measured)
    assert next(arm.figure.steps(run)).asks == arm.figure.asked


@pytest.mark.parametrize(
    "figure",
    {repr(arm.figure): arm.figure for _, arm in ARMS if isinstance(arm.figure, Measured)}.values(),
    ids=lambda figure: f"{figure.function.__name__}-{figure.key}",
)
def test_what_measures_takes_its_settings_and_documents_its_figure(figure):
    inspect.signature(figure.function).bind("a run", **figure.settings)
    documented = inspect.getdoc(figure.function) + inspect.getsource(figure.function)
    assert figure.key in documented
