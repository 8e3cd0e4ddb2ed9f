"""R3GAN's presets: batches, schedules and augmentation are those that the authors' train.py resolves."""

from pathlib import Path

import pytest

from mmcgan.config import load_config

ROOT = Path(__file__).resolve().parents[2]
MILLION = 1_000_000
#: batch, classes; gamma at the start (its end is a tenth); at the end: half-life, augmentation; images
PRESETS = {
    "r3gan_cifar10-32": (512, 10, 0.05, 5 * MILLION, 0.55, 20 * MILLION),
    "r3gan-unconditional_cifar10-32": (512, 0, 0.05, 5 * MILLION, 0.55, 20 * MILLION),
    "r3gan_ffhq-64": (256, 0, 2, MILLION // 2, 0.3, 20 * MILLION),
    "r3gan_ffhq-256": (256, 0, 150, MILLION // 2, 0.3, 20 * MILLION),
    "r3gan_imagenet-32": (4096, 1000, 0.5, 50 * MILLION, 0.5, 200 * MILLION),
    "r3gan_imagenet-64": (4096, 1000, 1, 50 * MILLION, 0.4, 200 * MILLION),
}


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_is_trained_as_the_authors_train_it(name):
    batch, classes, gamma, half_life, probability, until = PRESETS[name]
    config = load_config(ROOT / "configs" / "r3gan" / f"{name}.py")
    both = {
        f"optimizer.{player}.{what}" for player in ("generator", "discriminator") for what in ("lr", "beta2")
    }
    ends = {key: (2e-4, 5e-5) if key.endswith("lr") else (0.9, 0.99) for key in both}
    ends |= {f"regularizers.{term}.weight": (gamma, gamma / 10) for term in ("r1", "r2")}
    ends |= {"generator_ema.half_life_images": (0, half_life), "augment.probability.p": (0, probability)}
    schedule = config.default_hooks.schedule
    assert schedule.unit == "images"
    found = {key: (each["start"], each["end"]) for key, each in schedule["values"].items()}
    assert found == {key: pytest.approx(each) for key, each in ends.items()}
    assert {(each["kind"], each["until"]) for each in schedule["values"].values()} == {("cosine", until)}
    assert config.train_dataloader.batch_size == 2 * batch  # the discriminator's and the generator's own
    assert config.model.generator.num_classes == classes
    assert config.model.data_preprocessor.flip_probability == 0.5
    for player in ("generator", "discriminator"):
        optimizer = config.optim_wrapper[player].optimizer
        assert (optimizer.type, optimizer.betas[0], optimizer.eps) == ("Adam", 0, 1e-8)
        assert not optimizer.get("weight_decay")
