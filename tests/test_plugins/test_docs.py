"""The code of docs/add_a_head.md does what the page says."""

import re
from pathlib import Path

from mmcgan.apis.check import check_config
from mmcgan.registry import HEADS, LOSSES

ROOT = Path(__file__).resolve().parents[2]


def test_head_loss_and_config_of_the_page_train_one_step(tmp_path):
    page = (ROOT / "docs" / "add_a_head.md").read_text()
    head, loss, config = re.findall(r"```python\n(.*?)```", page, flags=re.S)
    path = tmp_path / "cosine_biggan_digits-16.py"
    path.write_text(config.replace("../biggan", str(ROOT / "configs" / "biggan")))
    try:
        exec(head, {})
        exec(loss, {})
        assert check_config(path).error == ""
        path.write_text(path.read_text().replace("CosineHead", "CosinHead").replace("scale=", "scales="))
        error = check_config(path).error
    finally:
        HEADS._module_dict.pop("CosineHead", None)
        LOSSES._module_dict.pop("LogisticLoss", None)
    claimed = page.split("2 problems\n")[1].split("```")[0].splitlines()
    assert error.splitlines()[1:] == claimed
