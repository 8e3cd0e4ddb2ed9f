"""Every config validates and trains one tiny step; none can rot."""

from pathlib import Path

import pytest
import yaml

from mmcgan.config import all_configs
from mmcgan.config.tiny import load_tiny_config, run_tiny_step

ROOT = Path(__file__).resolve().parent.parent
CONFIGS = all_configs(ROOT / "configs")


@pytest.mark.parametrize(
    "path",
    # every eighth in each run, all in .ci/run
    [
        pytest.param(path, marks=pytest.mark.broad if i % 8 else (), id=path.stem)
        for i, path in enumerate(CONFIGS)
    ],
)
def test_config_trains_one_tiny_step(path, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    run_tiny_step(load_tiny_config(path))
    assert list(tmp_path.iterdir()) == [], "a tiny run leaves files behind"


def test_names_are_unique_and_say_what_is_inside():
    names = [path.stem for path in CONFIGS]
    assert len(names) == len(set(names))
    assert all(path.stem.startswith(path.parent.name.replace("_", "-")) for path in CONFIGS)


def test_the_index_for_mim_lists_every_metafile():
    listed = yaml.safe_load((ROOT / "model-index.yml").read_text())["Import"] or []
    assert sorted(listed) == sorted(str(p.relative_to(ROOT)) for p in ROOT.glob("configs/*/metafile.yml"))
