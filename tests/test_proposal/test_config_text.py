"""A folder's name is data in the config that is written about it."""

import shlex
from pathlib import Path

import pytest
from mmengine import Config

from mmcgan.config.load import read_config
from mmcgan.proposal.choices import Choice, Method, Width
from mmcgan.proposal.config_text import Source, config_text
from mmcgan.proposal.families import NETWORKS

NAMES = (
    "images\nimport os\nos.system('touch {flag}')\n#",
    "images\r\nopen('{flag}', 'w')\n#",
    "a'); open('{flag}', 'w')  #",
    'a"); open("{flag}", "w")  #',
    "a\\'\"); open('{flag}', 'w')  #",
    "{{{{$X:y}}}}",
    "{{{{$X:\\'+str(open('{flag}','w'))+'}}}}",
    "{{{{{{ fileDirname }}}}}}",
    "{{{{ _base_.model }}}}",
    "a\u2028open('{flag}', 'w')",
    "a\x0copen('{flag}', 'w')",
)


@pytest.mark.parametrize("name", NAMES, ids=range(len(NAMES)))
@pytest.mark.parametrize("instances", [False, True])
def test_a_folder_of_any_name_is_read_back_and_runs_nothing(tmp_path, name, instances, monkeypatch):
    flag = tmp_path / "flag"
    folder = Path("/images") / name.format(flag=flag)
    store = Path("/stores") / name.format(flag=flag)
    method = Method("instance" if instances else "omni", "biggan-diffaug", False, (), True)
    reason = Choice("class", folder.name, folder.name)
    command = shlex.join(["mmcgan", "new", str(folder)])
    judge = {"type": "SelfSupervisedExtractor", "weights": str(store)}
    text = config_text(Source(str(folder), 50, store), method, Width(32, 8, 4), 100, judge, [reason], command)
    # the inherited files are none of this
    path = tmp_path / "config.py"
    path.write_text("\n".join(line for line in text.split("\n") if not line.startswith("_base_")), "utf-8")

    config = Config.fromfile(path)

    dataset = config.train_dataloader.dataset
    images = dataset.dataset if instances else dataset
    assert images.root == str(folder)
    assert config.val_evaluator.extractor.weights == str(store)
    assert not flag.exists()


@pytest.mark.parametrize("family", NETWORKS)
def test_schedules_end_with_the_run(tmp_path, family):
    """Whatever the family reads for a generator beside what its discriminator sees."""
    text = config_text(
        Source("/images", 5000), Method("omni", family, False, ("cutout",), True), Width(32, 8, 64), 5000
    )
    path = tmp_path / "config.py"
    path.write_text(text, "utf-8")
    config = read_config(path)
    step = config.model.get("step", {})
    assert (2 if step.get("generator_real") == "own" else 1) == NETWORKS[family].batches
    seen = config.train_cfg.max_iters * config.train_dataloader.batch_size // NETWORKS[family].batches
    schedules = config.default_hooks.get("schedule", {}).get("values", {})
    assert {each["until"] for each in schedules.values()} <= {seen}
    assert bool(schedules) == (family == "r3gan")
    adapt = (config.model.get("augment") or {}).get("adapt")
    assert adapt is None or adapt["kimg"] == seen // 1000
