"""A run that chose its precision by itself goes on in it, on whichever machine."""

from mmcgan import precision
from mmcgan.checkpoints.files import load_checkpoint
from mmcgan.precision import Choice

from .test_resume import final
from .tiny_run import differences, train

AUTO = {"optim_wrapper.precision": "auto"}


def test_a_run_moved_to_another_machine_ends_in_the_same_bits(tmp_path, monkeypatch):
    monkeypatch.setattr(precision, "measure", lambda kind: Choice("bfloat16", 2.0, "measured"))
    train(tmp_path / "whole", **AUTO)
    train(tmp_path / "parts", **AUTO)
    (tmp_path / "parts" / "iter_6.pth").unlink()
    monkeypatch.setattr(precision, "measure", lambda kind: Choice("float32", 0.1, "emulated"))
    train(tmp_path / "parts", resume=True, **AUTO)
    assert differences(final(tmp_path / "whole"), final(tmp_path / "parts")) == []
    saved = load_checkpoint(tmp_path / "parts" / "iter_6.pth")["optimizer"]
    assert {name: state["precision"] for name, state in saved.items()} == {
        "generator": "bfloat16",
        "discriminator": "bfloat16",
    }
    (log,) = [path for path in (tmp_path / "parts").glob("*/*.log") if "resumed" in path.read_text()]
    text = log.read_text()
    assert text.count("precision bfloat16, as in the checkpoint") == 1
    assert "--cfg-options optim_wrapper.precision=float32" in text
    train(tmp_path / "other", **AUTO)
    assert differences(final(tmp_path / "whole"), final(tmp_path / "other"))
