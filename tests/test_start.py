"""What a start costs: nothing is imported before it is needed, and every name is found all the same."""

import ast
import importlib
import pkgutil
import subprocess
import sys
from pathlib import Path

import pytest

import mmcgan
from mmcgan import registry as r
from mmcgan.config.components import STRUCTURES, structure_at
from mmcgan.lazy import imported_names
from mmcgan.registry import every_registry

PACKAGE = Path(mmcgan.__file__).parent
#: libraries that take long to import, and rooms that import much
SLOW = ("sklearn", "scipy", "torchvision", "timm", "faiss", "matplotlib", "mmcv", "mmcgan.evaluation")
SAMPLE = ["sample", "omnigan_biggan_digits-16", "--num", "2", "--out"]


def imported_by(program):
    """Return the modules that a program of its own has imported in the end."""
    report = "\nimport sys\nsys.stderr.write('MODULES ' + ' '.join(sys.modules))"
    done = subprocess.run([sys.executable, "-c", program + report], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return set(done.stderr.rpartition("MODULES ")[2].split())


def test_configs_are_read_without_evaluation_or_slow_libraries():
    loaded = imported_by("import mmcgan.config, mmcgan.config.load, mmcgan.config.validate, mmcgan.registry")
    assert not loaded & {*SLOW, "mmengine.runner", "mmcgan.models.gan"}


def test_sampling_a_shipped_model_imports_what_it_uses(tmp_path):
    arguments = [*SAMPLE, str(tmp_path / "samples")]
    loaded = imported_by(f"from mmcgan.cli import main\nassert main({arguments!r}) == 0")
    assert not loaded & {*SLOW, "mmengine.runner", "mmcgan.models.gan", "mmcgan.losses.adversarial"}
    assert "mmcgan.models.generators.biggan" in loaded
    assert not loaded & {f"mmcgan.models.generators.{name}" for name in ("spade", "stylegan2", "coded")}


def test_a_component_is_looked_up_without_its_neighbours():
    program = "from mmcgan.registry import LOSSES\nassert LOSSES.require('HingeLoss').__name__ == 'HingeLoss'"
    loaded = imported_by(program)
    assert "mmcgan.losses.adversarial" in loaded
    assert not loaded & {"mmcgan.losses.omni", "mmcgan.losses.perceptual", "mmcgan.losses.contrastive"}


def import_everything():
    for module in pkgutil.walk_packages([str(PACKAGE)], "mmcgan."):
        if not module.name.endswith("__main__") and ".mim" not in module.name:
            importlib.import_module(module.name)


def test_the_index_knows_every_component_and_where_it_is():
    import_everything()
    compared = 0
    for registry in every_registry():
        # collate functions are registered with MMEngine itself, whose Runner looks nowhere else
        known = {**(registry.parent._module_dict if registry.parent else {}), **registry._module_dict}
        own = {
            name: kind.__module__
            for name, kind in known.items()
            if kind.__module__.partition(".")[0] == "mmcgan"
        }
        assert registry._index == own, registry.name
        compared += len(own)
    assert compared > 150


def test_an_unknown_name_is_none_and_suggests_all_names():
    assert r.LOSSES.get("HingLoss") is None and r.HOOKS.get("SampleGridHok") is None
    with pytest.raises(KeyError, match="Did you mean 'HingeLoss'"):
        r.LOSSES.require("HingLoss")
    assert {"LoggerHook", "SampleGridHook"} <= set(r.HOOKS.names())
    assert r.HOOKS.get("LoggerHook").__module__.startswith("mmengine.")


def lazy_packages():
    for file in sorted(PACKAGE.rglob("__init__.py")):
        if "lazy_exports(__name__)" in file.read_text(encoding="utf-8"):
            yield ".".join(file.parent.relative_to(PACKAGE.parent).parts)


@pytest.mark.parametrize("name", lazy_packages())
def test_a_lazy_package_has_all_its_names(name):
    package = importlib.import_module(name)
    places = imported_names(Path(package.__file__))
    assert set(places) == set(package.__all__) <= set(dir(package))
    modules = {module.name for module in pkgutil.iter_modules(package.__path__)}
    for exported, module in places.items():
        # a module of the same name would hide what the package exports, once it is imported
        assert exported not in modules or module == name, exported
        assert getattr(package, exported) is not None
    with pytest.raises(AttributeError, match=f"module '{name}' has no attribute 'nothing'"):
        package.nothing  # noqa: B018


def test_packages_that_import_all_at_once_are_few():
    eager = set()
    for file in PACKAGE.rglob("__init__.py"):
        body = ast.parse(file.read_text(encoding="utf-8")).body
        imported = [node.module or "" for node in body if isinstance(node, ast.ImportFrom)]
        if sum(module.startswith("mmcgan.") for module in imported) > 1:
            eager.add(file.parent.name)
    # restoration: the names of its functions are those of their modules; weights: a module beside its files;
    # biggan_pytorch, spade, stylegan2_ada, translation: of a peer, imported when weights are translated,
    # which needs all of it
    assert eager <= {"restoration", "weights", "biggan_pytorch", "spade", "stylegan2_ada", "translation"}


@pytest.mark.parametrize("path", STRUCTURES)
def test_structures_named_by_text_are_there(path):
    found = structure_at(path)
    assert found and (callable(found) or all(isinstance(key, str) for key in found))
