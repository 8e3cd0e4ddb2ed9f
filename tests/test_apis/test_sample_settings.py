"""``--sample-cfg key=value``, as MMagic's demo has it."""

import pytest

from mmcgan.cli import command_parser, main
from mmcgan.commands.sample import apply_sample_settings


def read(*items):
    arguments = command_parser("sample").parse_args(["model", "--sample-cfg", *items])
    apply_sample_settings(arguments)
    return arguments


def test_settings_are_the_arguments_of_the_same_names():
    arguments = read("truncation=0.4", "seed=7", "num=3")
    assert (arguments.truncation, arguments.seed, arguments.num) == (0.4, 7, 3)
    assert read("truncation=1").truncation == 1
    assert read("truncation=none").truncation is None


@pytest.mark.parametrize(
    ("items", "message"),
    [
        (["truncaton=0.4"], "unknown key 'truncaton'. Did you mean 'truncation'?"),
        (["truncation"], "expected KEY=VALUE, got 'truncation'"),
        (["truncation=much"], "truncation must be a number (float), got 'much'"),
        (["seed=0.5"], "seed must be a number (int), got '0.5'"),
        (["num=true"], "num must be a number (int), got 'true'"),
        (["seed=1", "seed=2"], "'seed' is given twice"),
    ],
)
def test_mistakes_are_named_before_anything_is_done(items, message, tmp_path, capsys):
    out = tmp_path / "samples"
    assert main(["sample", "omnigan_biggan_digits-16", "--out", str(out), "--sample-cfg", *items]) == 2
    assert f"--sample-cfg: {message}" in capsys.readouterr().err
    assert not out.exists()


def test_truncation_by_this_name_is_truncation(tmp_path):
    command = ["sample", "omnigan_biggan_digits-16", "--num", "2", "--out"]
    assert main([*command, str(tmp_path / "a"), "--sample-cfg", "truncation=0.4"]) == 0
    assert main([*command, str(tmp_path / "b"), "--truncation", "0.4"]) == 0
    assert main([*command, str(tmp_path / "c")]) == 0
    a, b, c = ((tmp_path / f"{name}.grid.png").read_bytes() for name in "abc")
    assert a == b != c
