"""A training step as PyTorch-StudioGAN makes it, in plain torch, for the comparison in training_step.py.

Written from what its papers and documentation say, not from its code: BigGAN's networks for 32 pixels with
torch's own spectral norm, enlargement and pooling beside the 3x3 convolutions and 1x1 shortcuts at the higher
resolution, two discriminator passes for real and generated images, float32 in the default memory layout, Adam
with default settings, and a moving average parameter by parameter.
"""

from __future__ import annotations

from copy import deepcopy

import torch
from torch import nn
from torch.nn import functional as F
from torch.nn.utils import spectral_norm

from mmcgan.losses.contrastive import D2DCELoss

SHARED, CHUNK, CLASSES, EPS = 128, 20, 10, 1e-6


def conv(before, after, kernel, bias=True):
    return spectral_norm(nn.Conv2d(before, after, kernel, padding=kernel // 2, bias=bias), eps=EPS)


def dense(before, after, bias=True):
    return spectral_norm(nn.Linear(before, after, bias=bias), eps=EPS)


class ConditionalNorm(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.norm = nn.BatchNorm2d(channels, eps=1e-4, affine=False)
        self.gain, self.bias = (dense(SHARED + CHUNK, channels, bias=False) for _ in range(2))

    def forward(self, x, condition):
        gain, bias = 1 + self.gain(condition), self.bias(condition)
        return self.norm(x) * gain[:, :, None, None] + bias[:, :, None, None]


class Attention(nn.Module):
    def __init__(self, channels):
        super().__init__()
        widths = (channels // 8, channels // 8, channels // 2)
        self.query, self.key, self.value = (conv(channels, width, 1, bias=False) for width in widths)
        self.out, self.gamma = conv(channels // 2, channels, 1, bias=False), nn.Parameter(torch.zeros(()))

    def forward(self, x):
        query = self.query(x).flatten(2)
        key, value = (F.max_pool2d(layer(x), 2).flatten(2) for layer in (self.key, self.value))
        weights = torch.softmax(query.transpose(1, 2) @ key, dim=-1)
        attended = (value @ weights.transpose(1, 2)).unflatten(2, x.shape[2:])
        return x + self.gamma * self.out(attended)


class Up(nn.Module):
    def __init__(self, before, after):
        super().__init__()
        self.norm1, self.norm2 = ConditionalNorm(before), ConditionalNorm(after)
        self.conv0, self.conv1, self.conv2 = (
            conv(before, after, 1),
            conv(before, after, 3),
            conv(after, after, 3),
        )

    def forward(self, x, condition):
        h = self.conv1(F.interpolate(F.relu(self.norm1(x, condition)), scale_factor=2, mode="nearest"))
        h = self.conv2(F.relu(self.norm2(h, condition)))
        return h + self.conv0(F.interpolate(x, scale_factor=2, mode="nearest"))


class Down(nn.Module):
    def __init__(self, before, after, halve, first=False):
        super().__init__()
        self.halve, self.first = halve, first
        self.conv1, self.conv2 = conv(before, after, 3), conv(after, after, 3)
        self.conv0 = conv(before, after, 1) if halve or before != after else nn.Identity()

    def forward(self, x):
        h = self.conv2(F.relu(self.conv1(x if self.first else F.relu(x))))
        if not self.halve:
            return h + self.conv0(x)
        skip = self.conv0(F.avg_pool2d(x, 2)) if self.first else F.avg_pool2d(self.conv0(x), 2)
        return F.avg_pool2d(h, 2) + skip


class Generator(nn.Module):
    def __init__(self, base):
        super().__init__()
        width = 4 * base
        self.shared, self.linear = nn.Embedding(CLASSES, SHARED), dense(CHUNK, width * 16)
        self.blocks = nn.ModuleList(Up(width, width) for _ in range(3))
        self.attention, self.norm = Attention(width), nn.BatchNorm2d(width, eps=1e-4)
        self.output = conv(width, 3, 3)

    def forward(self, latent, label):
        first, *chunks = latent.split(CHUNK, 1)
        x, embedded = self.linear(first).unflatten(1, (-1, 4, 4)), self.shared(label)
        for index, (block, chunk) in enumerate(zip(self.blocks, chunks, strict=True)):
            x = block(x, torch.cat([embedded, chunk], 1))
            if index == 1:
                x = self.attention(x)
        return torch.tanh(self.output(F.relu(self.norm(x))))


class Discriminator(nn.Module):
    def __init__(self, base, reacgan):
        super().__init__()
        width, self.reacgan = 4 * base, reacgan
        self.blocks = nn.ModuleList(
            [
                Down(3, width, True, True),
                Down(width, width, True),
                Down(width, width, False),
                Down(width, width, False),
            ]
        )
        self.attention, self.adversarial = Attention(width), dense(width, 1)
        self.table = spectral_norm(nn.Embedding(CLASSES, 512 if reacgan else width), eps=EPS)
        if reacgan:
            self.embed = dense(width, 512)

    def forward(self, image, label):
        x = image
        for index, block in enumerate(self.blocks):
            x = block(x)
            if index == 0:
                x = self.attention(x)
        pooled = F.relu(x).sum((2, 3))
        logit = self.adversarial(pooled).squeeze(1)
        if not self.reacgan:
            return logit + (self.table(label) * pooled).sum(1), None, None
        return logit, F.normalize(self.embed(pooled), dim=1), F.normalize(self.table(label), dim=1)


class PeerStep:
    """One discriminator and one generator update of BigGAN or ReACGAN on 32-pixel images.

    Args:
        base: unit of the channels, which are four of them everywhere.
        batch: images of one pass.
        reacgan: the data-to-data cross-entropy beside the adversarial loss, instead of projection.
        n_critic: discriminator updates.
    """

    def __init__(self, base: int, batch: int, reacgan: bool, n_critic: int = 1) -> None:
        torch.manual_seed(0)
        self.generator, self.discriminator = Generator(base), Discriminator(base, reacgan)
        self.averaged = deepcopy(self.generator)
        self.batch, self.reacgan, self.n_critic = batch, reacgan, n_critic
        self.classes = D2DCELoss(temperature=0.5, positive_margin=0.98) if reacgan else None
        self.optimizers = [
            torch.optim.Adam(network.parameters(), 2e-4, (0.5, 0.999), eps=EPS)
            for network in (self.generator, self.discriminator)
        ]
        self.images = torch.rand(batch, 3, 32, 32) * 2 - 1
        self.labels = torch.randint(CLASSES, (batch,))

    def __call__(self) -> None:
        """Train both networks once."""
        for _ in range(self.n_critic):
            self._update_discriminator()
        self._update_generator()
        with torch.no_grad():
            pairs = zip(self.averaged.parameters(), self.generator.parameters(), strict=True)
            for averaged, trained in pairs:
                averaged.copy_(trained.lerp(averaged, 0.999))

    def _update_discriminator(self) -> None:
        self._train(self.discriminator, self.generator)
        self.optimizers[1].zero_grad()
        fake, labels = self._generate()
        real_logit, real_embed, real_proxy = self.discriminator(self.images, self.labels)
        fake_logit, _, _ = self.discriminator(fake.detach(), labels)
        loss = F.relu(1 - real_logit).mean() + F.relu(1 + fake_logit).mean()
        (loss + self._class_loss(real_embed, real_proxy, self.labels)).backward()
        self.optimizers[1].step()

    def _update_generator(self) -> None:
        self._train(self.generator, self.discriminator)
        self.optimizers[0].zero_grad()
        fake, labels = self._generate()
        logit, embed, proxy = self.discriminator(fake, labels)
        (self._class_loss(embed, proxy, labels) - logit.mean()).backward()
        self.optimizers[0].step()

    @staticmethod
    def _train(trained, fixed):
        trained.requires_grad_(True)
        fixed.requires_grad_(False)

    def _generate(self):
        latent, labels = torch.randn(self.batch, 4 * CHUNK), torch.randint(CLASSES, (self.batch,))
        return self.generator(latent, labels), labels

    def _class_loss(self, embed, proxy, label):
        if self.classes is None:
            return torch.zeros(())
        return 0.5 * self.classes.generated(embed, proxy, label)
