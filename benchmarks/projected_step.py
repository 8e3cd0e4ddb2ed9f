"""Images per second of a training step: the same generator beside several discriminators, in turns.

    python benchmarks/projected_step.py [--size 32] [--batch 32] [--rounds 5] [--threads 1] [--clock cpu]
        [--precision float32 bfloat16] [--efficientnet]

FastGAN lite learns against BigGAN's backbone, without augmentation, and against projected discriminators on
a small network of ours; ``--efficientnet`` adds EfficientNet-Lite0 at 64 and 224 pixels, with random weights
(the time is the same). ``cached`` keeps the maps of the real images, which come again every step here: what a
set that fits memory reaches from its third epoch on. Ratios are medians over the rounds, to the first row.
"""

from __future__ import annotations

import argparse
import statistics
import time

import torch
from mmengine.registry import init_default_scope

from mmcgan.registry import MODELS, OPTIM_WRAPPER_CONSTRUCTORS

PATCHES = dict(type="PatchHead", kernel_size=4, padding=0, bias=False)
SMALL = dict(type="SelfSupervisedExtractor", weights="fashion-mnist-ssl")
EFFICIENT = dict(type="EfficientNetLite0", pretrained=False)


def backbones(size, efficientnet):
    """Return discriminator configs by name."""
    channels = {16: (64, 128, 256), 32: (64, 128, 256, 256), 64: (32, 64, 128, 256, 256)}[size]
    plain = dict(
        backbone=dict(type="BigGANBackbone", image_size=size, channels=channels, attention_resolutions=()),
        heads=dict(adv=dict(type="AdversarialHead")),
    )
    small = dict(
        type="ProjectedBackbone",
        image_size=size,
        extractor=SMALL,
        input_size=size,
        strides=(2, 4, 8),
        end_size=4,
        mixed_channels=16,
        max_channels=64,
        min_channels=16,
    )
    found = {
        "BigGANBackbone": plain,
        "projected, small": _projected(small, 3),
        "projected, small, cached": _projected(dict(small, cache_megabytes=500), 3),
    }
    if efficientnet:
        large = dict(type="ProjectedBackbone", image_size=size, extractor=EFFICIENT, resize="bilinear")
        near = dict(large, input_size=64, strides=(4, 8, 16), end_size=4)
        found["projected, EfficientNet at 64"] = _projected(near, 3)
        found["projected, EfficientNet at 224"] = _projected(large, 4)
        found["projected, EfficientNet at 224, cached"] = _projected(dict(large, cache_megabytes=2000), 4)
    return found


def _projected(backbone, scales):
    head = dict(type="EachScale", scales=scales, head=PATCHES)
    return dict(backbone=backbone, heads=dict(adv=head), init="default")


def make_step(size, batch, precision, discriminator):
    """Return a function that runs one training step."""
    torch.manual_seed(0)
    model = MODELS.build(
        dict(
            type="ConditionalGAN",
            generator=dict(
                type="FastGANGenerator",
                image_size=size,
                base_channels=32,
                latent_dim=64,
                light=True,
                excitation_factor=4 if size < 64 else 16,
            ),
            discriminator=discriminator,
            losses=dict(adversarial=dict(type="HingeLoss")),
            condition_sampler=dict(type="ConstantLabel", label=0),
            data_preprocessor=dict(type="GANDataPreprocessor", channels_last=True, flip_probability=0.0),
            ema=False,
        )
    )
    adam = dict(optimizer=dict(type="Adam", lr=2e-4, betas=(0.0, 0.99)))
    settings = dict(precision=precision, generator=dict(adam), discriminator=dict(adam))
    optimizers = OPTIM_WRAPPER_CONSTRUCTORS.get("GANOptimWrapperConstructor")(settings)(model)
    data = {"image": torch.randint(0, 256, (batch, 3, size, size), dtype=torch.uint8)}
    return lambda: model.train_step(data, optimizers)


def parse():
    """Return what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--size", type=int, choices=[16, 32, 64], default=32)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--clock", choices=["wall", "cpu"], default="cpu")
    parser.add_argument("--precision", nargs="+", default=["float32"])
    parser.add_argument("--efficientnet", action="store_true")
    return parser.parse_args()


def main():
    """Measure and print a table."""
    given = parse()
    torch.set_num_threads(given.threads)
    init_default_scope("mmcgan")
    steps = {
        (name, precision): make_step(given.size, given.batch, precision, config)
        for name, config in backbones(given.size, given.efficientnet).items()
        for precision in given.precision
    }
    now = time.process_time if given.clock == "cpu" else time.perf_counter
    seconds = {key: [] for key in steps}
    # three rounds warm up: caches know an image from its second time on
    for number in range(given.rounds + 3):
        for key, step in steps.items():
            start = now()
            step()
            if number >= 3:
                seconds[key].append(now() - start)
    first = seconds[next(iter(steps))]
    isa = torch.backends.cpu.get_cpu_capability()
    print(f"{given.size} pixels, batch {given.batch}, {given.threads} threads, {isa}, {given.clock} time")
    print("| discriminator | precision | s a step | images/s | time over the first |\n|---|---|---|---|---|")
    for (name, precision), times in seconds.items():
        ratio = statistics.median(b / a for a, b in zip(first, times, strict=True))
        least = min(times)
        print(f"| {name} | {precision} | {least:.3f} | {given.batch / least:.1f} | {ratio:.2f} |")


if __name__ == "__main__":
    main()
