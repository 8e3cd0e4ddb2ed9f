"""The benchmark of small sets: its grid, its moments of reading, and configs that load."""

import sys
from pathlib import Path

import pytest

from mmcgan.proposal import families
from tests.test_instances.stores import make_store

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
    assert all(name.startswith("fashion-1_") and "projection" in name for name in names[:4])


def test_readings_are_due_once_at_each_doubling(parts):
    seen, last = [], 0.0
    for now in range(0, 200, 7):
        if parts[3]._passed(22.5, last, now):
            seen.append(now)
            last = now
    assert seen == [28, 49, 91, 182]


@pytest.mark.parametrize("family", ["biggan-diffaug", "stylegan2-ada", "r3gan", "fastgan-projected"])
def test_every_setting_is_a_config_that_loads(parts, family, tmp_path):
    from mmcgan.config import load_config
    from mmcgan.proposal.figures import CONDITIONINGS

    _, configs, data, _ = parts
    make_store(data.SETS["fashion-100"].store(tmp_path))
    for kind in CONDITIONINGS:
        setting = configs.Setting(data.SETS["fashion-100"], family, kind)
        path = tmp_path / f"{setting.name}.py"
        path.write_text(configs.config_text(setting, tmp_path))
        assert load_config(path).randomness.seed == 0
