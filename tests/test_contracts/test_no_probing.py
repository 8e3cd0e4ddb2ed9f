"""Components are asked what they declare: nothing is probed by hasattr, or getattr with a default."""

import ast
from pathlib import Path

import pytest

from mmcgan.config.components import walk
from mmcgan.config.ranges import Range, range_of
from mmcgan.contracts import declared
from mmcgan.extractors import Extractor, ExtractorOutput, Preprocessing
from mmcgan.hooks.schedule import find_setter
from mmcgan.registry import EXTRACTORS, HEADS, restore, snapshot

PACKAGE = Path(__file__).resolve().parents[2] / "mmcgan"
#: file -> why its probes are right: what is asked is none of our components, or this is what asks for all
JUSTIFIED = {
    "contracts.py": "the one place that compares classes with their contracts",
    "models/class_rows.py": "any torch module may say which of its tensors belong to classes",
    "models/layers/condition_weight.py": "any torch module may weigh its condition",
    "models/layers/initialization.py": "torch's layers have a bias or none",
    "checkpoints/files.py": "any torch module may make room for what a checkpoint holds",
    "checkpoints/content.py": "foreign objects that a file holds, as stand-ins",
    "checkpoints/restricted.py": "torch's unpickler and its types",
    "checkpoints/stand_ins.py": "names of foreign objects",
    "engine/loop.py": "MMEngine's own runner may drive the loop",
    "engine/runner.py": "MMEngine's models may initialise themselves",
    "engine/state.py": "MMEngine's optimiser wrappers",
    "optim/wrapper.py": "MMEngine's optimiser wrappers",
    "apis/testing.py": "MMEngine's evaluators make no report",
    "comparison/environment.py": "MMEngine's optimiser wrappers",
    "comparison/hook.py": "MMEngine's runner, loops and evaluators",
    "apis/tracking.py": "attributes that MMEngine's backends make late",
    "config/whole.py": "any number that a user names by its path",
    "datasets/shard_order.py": "torch builds it of anything with a length",
    "hooks/schedule.py": "any number that a user names by its path",
    "optim/clipping.py": "torch's sharded tensors",
    "distributed.py": "torch's sharded tensors",
    "extractors/timm_extractor.py": "timm's networks",
    "neighbours/products.py": "versions of torch",
    "datasets/sets/label_column.py": "columns of the library datasets",
    "datasets/sets/hub.py": "columns of the library datasets",
    "instances/arrays.py": "NumPy's maps and the operating system",
    "engine/signals.py": "the operating system",
    "termination.py": "the operating system",
    "diagnosis/processor.py": "the operating system",
    "datasets/decode.py": "Pillow's readers, of which few know of several pictures",
    "locks.py": "the operating system",
    "parallel.py": "the operating system",
    "demo/form.py": "Gradio's requests",
}


def probes(path):
    """Return the lines of a file that probe an object."""
    found = []
    for node in ast.walk(ast.parse(path.read_text())):
        name = node.func.id if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) else None
        if name == "hasattr" or (name == "getattr" and len(node.args) + len(node.keywords) > 2):
            found.append(node.lineno)
    return found


def test_nothing_is_probed_but_what_has_no_contract():
    found = {str(path.relative_to(PACKAGE)): probes(path) for path in sorted(PACKAGE.rglob("*.py"))}
    found = {name: lines for name, lines in found.items() if lines}
    assert {name: lines for name, lines in found.items() if name not in JUSTIFIED} == {}
    assert set(JUSTIFIED) <= set(found), "reasons for files that probe nothing any more"


@pytest.fixture
def stranger():
    """Register an extractor and a head that has one inside and says so."""
    before = snapshot()

    class Grey(Extractor):
        ranges = {"margin": Range(least=0)}

        def __init__(self, margin: float = 0.0):
            super().__init__("grey", Preprocessing(8))
            self.feature_dim = 3

        def encode(self, pixels):
            return ExtractorOutput(pixels.mean((2, 3)))

    def inside(in_channels: int, text_encoder: dict):
        return EXTRACTORS.build(text_encoder)

    inside.parts = {"text_encoder": EXTRACTORS}
    for thing, registry in ((Grey, EXTRACTORS), (inside, HEADS)):
        thing.__module__ = "stranger"
        registry.register_module(module=thing)
    yield
    restore(before)


def _config(head):
    return {"model": {"type": "ConditionalGAN", "discriminator": {"heads": {"a": head}}}}


def test_a_strangers_parts_are_found_in_the_registry_that_it_names(stranger):
    head = {"type": "inside", "text_encoder": {"type": "Gray", "margin": -1}}
    nodes = {".".join(node.path): node for node in walk(_config(head))}
    inner = nodes["model.discriminator.heads.a.text_encoder"]
    assert inner.registries == (EXTRACTORS,) and inner.component is None
    head["text_encoder"]["type"] = "Grey"
    nodes = {".".join(node.path): node for node in walk(_config(head))}
    assert range_of(nodes["model.discriminator.heads.a.text_encoder"], "margin") == Range(least=0)


def test_only_known_declarations_can_be_asked_for():
    assert declared(len, "figures") == () and declared(None, "parts") == {}
    with pytest.raises(KeyError):
        declared(len, "figurs")


def test_a_hook_that_has_a_rule_is_no_average():
    class Runner:
        hooks = [type("Monitoring", (), {"rule": "less"})()]

    with pytest.raises(ValueError, match="needs the hook GeneratorEMAHook"):
        find_setter(Runner(), "generator_ema.decay")
