"""Omni-GAN against the other ways to tell a discriminator about classes: same networks, same budget."""

from mmcgan.claims.claim import Arm, Claim, Logged, Training
from mmcgan.claims.registry import register_claim

FID, ACCURACY = Logged("fid"), Logged("conditional_accuracy")
SCALE = "Digits of 16 px, 10 classes of some 144 images; networks of 0.1 million weights."


def _digits(config: str) -> Training:
    return Training(f"{config}_biggan_digits-16" if config != "biggan" else "biggan_digits-16", 1500)


register_claim(
    Claim(
        name="omnigan-over-acgan",
        statement="The omni-loss gives better samples than AC-GAN's classifier beside a real/fake head.",
        source="Omni-GAN, Table 1 and Fig. 7",
        published="CIFAR100: FID 8.14 against 20 and more",
        better=Arm("Omni-GAN", _digits("omnigan"), FID),
        worse=Arm("AC-GAN", _digits("acgan"), FID),
        note=SCALE,
    )
)
register_claim(
    Claim(
        name="omnigan-over-projection",
        statement="The omni-loss gives better samples than a projection head with the hinge loss.",
        source="Omni-GAN, Table 1",
        published="CIFAR100: FID 8.14 against 10 and more",
        better=Arm("Omni-GAN", _digits("omnigan"), FID),
        worse=Arm("BigGAN (projection)", _digits("biggan"), FID),
        note=SCALE,
    )
)
register_claim(
    Claim(
        name="omnigan-two-sided",
        statement="Supervising fakes by class as well, as the omni-loss does, beats its one-sided form.",
        source="Omni-GAN, Fig. 7",
        published="one-sided omni-loss is behind the two-sided one on CIFAR100",
        better=Arm("two-sided", _digits("omnigan"), FID),
        worse=Arm("one-sided", _digits("omnigan-one-sided"), FID),
        note=SCALE,
    )
)
register_claim(
    Claim(
        name="classification-obeys-labels",
        statement="Methods that classify show the class that was asked for more often than projection does.",
        source="ReACGAN, Table 2 (Top-1); Omni-GAN, Section 4",
        published="a consequence of the strong supervision",
        better=Arm("Omni-GAN", _digits("omnigan"), ACCURACY),
        worse=Arm("BigGAN (projection)", _digits("biggan"), ACCURACY),
        lower=False,
        also=(Arm("AC-GAN", _digits("acgan"), ACCURACY),),
        note=SCALE,
    )
)
