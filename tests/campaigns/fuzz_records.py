"""Records made at random, read as a stranger's files under the guard: nothing runs, no traceback.

    python -m tests.campaigns.fuzz_records --examples 5000 --seed 0

Each example is a record (or the config of a checkpoint, the metadata of a store) grown from a good one:
components, keys and values are replaced by others of ours, of MMEngine and mmcv, by dotted names, paths and
addresses. It is written as a file, loaded, and everything that a command would build from it is built. The
report counts what was refused and what was built; the status is 1 after a violation or an error that is no
sentence.
"""

import argparse
import contextlib
import io
import json
import os
import sys
import tempfile
import time
import traceback
import warnings
from collections import Counter
from pathlib import Path

import hypothesis
import torch
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from mmcgan import closed_world
from mmcgan.apis.instances import build_extractor
from mmcgan.instances.store import open_store
from mmcgan.registry import DATASETS, EXTRACTORS
from mmcgan.zoo.discriminators import read_discriminator
from mmcgan.zoo.models import load_model
from tests.test_trust import hostile
from tests.test_trust.guard import Guard
from tests.test_trust.run_commands import import_everything

FLAG = "fuzz-flag"
DOTTED = (
    *("os.system", "subprocess.Popen", "builtins.exec", "builtins.eval", "builtins.open", "os.remove"),
    *("mmengine.ConcatDataset", "mmcv.Compose", "torch.load", "runpy.run_path", "importlib.import_module"),
    *(
        "shutil.rmtree",
        "mmcgan.checkpoints.restricted.read_untrusted",
        "numpy.load",
        "socket.create_connection",
    ),
)
FOREIGN = (
    *("ConcatDataset", "RepeatDataset", "ClassBalancedDataset", "BaseDataset", "Compose", "RandomApply"),
    *("RandomChoice", "TransformBroadcaster", "KeyMapper", "TestTimeAug", "MultiScaleFlipAug", "CenterCrop"),
    *("RandomResize", "RandomChoiceResize", "LoadImageFromFile", "LoadAnnotations", "Runner", "EMAHook"),
)
#: sums of money that a component may be asked for: nothing that would fill the memory of the machine
NUMBERS = st.sampled_from([-1, 0, 1, 2, 3, 4, 8, 16, 32, 10**30, -(10**30), 0.0, 0.5, 1e308, float("inf")])
TEXTS = st.sampled_from(
    [
        *("", "train", "test", "relu", "digits-16", "store", "x" * 300, "\0", "é", "fashion-mnist-ssl"),
        *("/etc/passwd", "../../etc/passwd", "~/.ssh/id_rsa", "file:///etc/passwd", "http://example.org/x"),
        *("hf://a/b", "C:\\x", "sub/../../x", "/dev/zero", "/proc/self/mem", "//server/share", "payload"),
    ]
)


def names():
    """Return the names of components: ours, and those of others."""
    ours = sorted({name for registry in closed_world.OPEN_TO_FILES for name in registry.names()})
    return st.one_of(st.sampled_from(ours), st.sampled_from([*FOREIGN, *DOTTED]), TEXTS)


def keys():
    """Return keys: arguments of our components, and those of MMEngine's machinery."""
    import inspect

    ours = set()
    for registry in closed_world.OPEN_TO_FILES:
        for name in registry.names():
            ours.update(inspect.signature(registry.get(name)).parameters)
    return st.sampled_from(sorted({*ours, *closed_world.REFUSED_KEYS, "command", "args", "kwargs"}))


def values():
    """Return JSON values, components among them."""
    plain = st.one_of(NUMBERS, TEXTS, st.none(), st.booleans())
    kinds, words = names(), keys()

    def grow(inner):
        component = st.builds(
            lambda kind, rest: {**rest, "type": kind},
            kinds,
            st.dictionaries(words, inner, max_size=4),
        )
        return st.one_of(component, st.lists(inner, max_size=3), st.dictionaries(words, inner, max_size=3))

    return st.recursive(plain, grow, max_leaves=12)


GOOD = {
    "label": hostile.record(),
    "painter": hostile.record(hostile.PAINTER, dict(type="RealCondition", dataset=dict(type="Scenes"))),
    "instance": hostile.record(
        hostile.INSTANCE,
        dict(type="AllInstances", instance_store=dict(size=8, dim=4)),
        extractor=dict(
            config=dict(type="SmallClassifier", weights="digits-16"),
            describe=dict(name="x", precision="float32"),
        ),
    ),
}
GENERATORS = {"label": hostile.GENERATOR, "painter": hostile.PAINTER, "instance": hostile.INSTANCE}


@st.composite
def changed(draw, content):
    """Return a copy of a JSON value with a few places replaced, removed or added."""
    copy = json.loads(json.dumps(content))
    for _ in range(draw(st.integers(1, 3))):
        places = list(_places(copy))
        holder, key = draw(st.sampled_from(places))
        change = draw(st.sampled_from(["value", "type", "key", "drop"]))
        if change == "drop" and isinstance(holder, dict):
            del holder[key]
        elif change == "type" and isinstance(holder, dict):
            holder["type"] = draw(names())
        elif change == "key" and isinstance(holder, dict):
            holder[draw(keys())] = draw(values())
        else:
            holder[key] = draw(values())
        if not list(_places(copy)):
            break
    return copy


def _places(value):
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in list(items):
        yield value, key
        yield from _places(item)


# --- reading what was made ------------------------------------------------------------------------
def try_model(path):
    """Build everything that commands build from a model's file."""
    loaded = load_model(path)
    draws = [lambda: loaded.condition_sampler.sample(2, torch.Generator())]
    draws.append(lambda: loaded.store)
    draws.append(lambda: closed_world.build(DATASETS, loaded.record.dataset, loaded.origin, "dataset"))
    if "instance" in loaded.requires:
        draws.append(lambda: build_extractor(loaded))
    config = loaded.record.extractor.get("config", {})
    draws.append(lambda: closed_world.build(EXTRACTORS, config, loaded.extractor_origin, "extractor"))
    refused = 0
    for draw in draws:
        try:
            draw()
        except EXPECTED:
            refused += 1
    return len(draws) - refused


EXPECTED = (ValueError, FileNotFoundError, ImportError)


class Fuzzer:
    """Writes, reads and counts.

    Args:
        folder: where the files are written.
        guard: notes violations.
    """

    def __init__(self, folder, guard):
        self.folder, self.guard = folder, guard
        self.counts, self.faults = Counter(), []

    def read(self, kind, write, read):
        """Write a file, read it under the guard and note how that ended."""
        path = write()
        self.guard.violations.clear()
        self.guard.active = True
        try:
            with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
                read(path)
            outcome = "built"
        except EXPECTED as error:
            outcome = "refused" if isinstance(error, closed_world.RefusedConfigError) else "said"
        except BaseException:
            outcome = "traceback"
            self.guard.active = False
            self.faults.append((kind, "traceback", traceback.format_exc()[-1200:]))
        self.guard.active = False
        self.counts[f"{kind}: {outcome}"] += 1
        self.faults += [(kind, *violation) for violation in self.guard.violations]
        if (self.folder / FLAG).exists():
            self.faults.append((kind, "ran", str(path)))

    def exported(self, name, record):
        """Try a record in exported weights."""
        path = self.folder / "model.safetensors"
        self.read("exported", lambda: hostile.write_exported(path, record, GENERATORS[name]), try_model)

    def run(self, name, record):
        """Try a config in a checkpoint of a run, its discriminator too."""
        model = {key: record.get(key) for key in ("generator", "latent_sampler", "condition_sampler")}
        model["discriminator"] = record.get("extractor")
        path = self.folder / "iter_1.pth"

        def write():
            return hostile.write_run(path, model, record.get("dataset"), generator=GENERATORS[name])

        self.read("checkpoint", write, try_model)
        self.read("discriminator of a checkpoint", write, read_discriminator)

    def discriminator(self, record):
        """Try a record of an exported discriminator."""
        path = self.folder / "judge.safetensors"

        def write():
            return hostile.write_exported(path, record, form="mmcgan-discriminator-1")

        self.read("exported discriminator", write, read_discriminator)

    def store(self, metadata):
        """Try the metadata of a store."""
        folder = self.folder / "store"

        def write():
            (folder / "metadata.json").write_text(json.dumps(metadata))
            return folder

        self.read("store", write, open_store)


def run(examples, seed, folder):
    """Return counts and faults of a campaign."""
    warnings.simplefilter("ignore")
    os.environ["XDG_CONFIG_HOME"] = str(folder)  # where the key of one's own files is looked for
    from tests.test_instances.stores import make_store

    make_store(folder / "store")
    good_store = json.loads((folder / "store" / "metadata.json").read_text())
    judge = dict(
        discriminator=dict(
            backbone=dict(type="DCGANBackbone", image_size=8, base_channels=4),
            heads=dict(adv=dict(type="AdversarialHead")),
        ),
        dataset=hostile.digits(),
    )
    os.chdir(folder)
    (folder / "payload.py").write_text(f"open({FLAG!r}, 'w')")
    sys.path.insert(0, str(folder))
    import_everything()
    for name, record in GOOD.items():  # what a good file needs is imported before the guard is armed
        try_model(hostile.write_exported(folder / "good.safetensors", record, GENERATORS[name]))
    fuzzer = Fuzzer(folder, Guard(folder))

    @hypothesis.seed(seed)
    @settings(
        max_examples=examples,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
        phases=(Phase.generate,),
    )
    @given(st.data())
    def explore(data):
        kind = data.draw(st.sampled_from(["exported", "exported", "run", "discriminator", "store"]))
        if kind in ("exported", "run"):
            name = data.draw(st.sampled_from(sorted(GOOD)))
            getattr(fuzzer, kind)(name, data.draw(changed(GOOD[name])))
        else:
            good = judge if kind == "discriminator" else good_store
            getattr(fuzzer, kind)(data.draw(changed(good)))

    explore()
    return dict(sorted(fuzzer.counts.items())), sorted(set(fuzzer.faults))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="fuzz the reading of records")
    parser.add_argument("--examples", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    start = time.monotonic()
    with tempfile.TemporaryDirectory() as temporary:
        counts, faults = run(options.examples, options.seed, Path(temporary))
    seconds = round(time.monotonic() - start, 1)
    print("REPORT " + json.dumps(dict(counts=counts, faults=faults, seconds=seconds)))
    raise SystemExit(bool(faults))
