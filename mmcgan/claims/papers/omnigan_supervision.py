"""Omni-GAN against the other ways to tell a discriminator about classes: same networks, same budget."""

from mmcgan.claims.claim import Arm, Claim, Logged, Training
from mmcgan.claims.registry import register_claim

FID, ACCURACY = Logged("fid"), Logged("conditional_accuracy")
SCALE = "Digits of 16 px, 10 classes of some 144 images."


def _digits(config: str) -> Training:
    return Training(f"{config}_biggan_digits-16" if config != "biggan" else "biggan_digits-16", 1500)


register_claim(
    Claim(
        name="omnigan-over-acgan",
        statement="The omni-loss gives better samples than AC-GAN's classifier beside a real/fake head.",
        source="Omni-GAN, Table 1",
        published="CIFAR100, both with weight decay: FID 8.41 against 16.41",
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
        published="CIFAR100: FID 8.41 against 13.73 (both with weight decay) and 10.12 (BigGAN without)",
        better=Arm("Omni-GAN", _digits("omnigan"), FID),
        worse=Arm("BigGAN (projection)", _digits("biggan"), FID),
        note=SCALE,
    )
)
register_claim(
    Claim(
        name="omnigan-two-sided",
        statement="Supervising fakes by class as well, as the omni-loss does, beats its one-sided form.",
        source="Omni-GAN, Fig. 3",
        published="CIFAR100: one-sided Omni-GAN is on par with BigGAN",
        better=Arm("two-sided", _digits("omnigan"), FID),
        worse=Arm("one-sided", _digits("omnigan-one-sided"), FID),
        note=SCALE,
    )
)
register_claim(
    Claim(
        name="classification-obeys-labels",
        statement="Methods that classify show the class that was asked for more often than projection does.",
        source="this project, after Omni-GAN",
        published="- (expected of strong supervision)",
        better=Arm("Omni-GAN", _digits("omnigan"), ACCURACY),
        worse=Arm("BigGAN (projection)", _digits("biggan"), ACCURACY),
        lower=False,
        also=(Arm("AC-GAN", _digits("acgan"), ACCURACY),),
        note=SCALE,
    )
)
