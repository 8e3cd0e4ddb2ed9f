"""What the tutorials tell people to write works as it stands there."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def blocks(page):
    return re.findall(r"```python\n(.*?)```", (ROOT / "docs" / page).read_text(), flags=re.S)


@pytest.mark.broad
def test_the_loss_of_the_tutorial_is_right_and_trains(tmp_path):
    loss, config, check = blocks("tutorials/your_loss.md")
    (tmp_path / "my_losses.py").write_text(loss)
    (tmp_path / "my_config.py").write_text(config)
    program = f"""
{check}
from mmcgan.apis import train
from mmcgan.config import load_config
assert load_config("my_config.py").model.losses.adversarial == dict(type="SquaredHinge", margin=1.0)
train("my_config.py", "run", options={{"train_cfg.max_iters": 1, "log_level": "ERROR"}})
"""
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": f"{ROOT}:{tmp_path}"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert (tmp_path / "run" / "iter_1.pth").is_file()
    assert (tmp_path / "run" / "report.html").is_file()
