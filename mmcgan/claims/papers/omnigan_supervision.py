"""Omni-GAN against the other ways to tell a discriminator about classes: same networks, same budget."""

from mmcgan.claims.claim import Arm, Claim
from mmcgan.claims.figure import Logged
from mmcgan.claims.registry import register_claim
from mmcgan.claims.source import Training

FID, ACCURACY = Logged("fid"), Logged("conditional_accuracy")
SCALE = "Digits of 16 px, 10 classes of some 144 images."


def _digits(config: str) -> Training:
    return Training(f"{config}_biggan_digits-16" if config != "biggan" else "biggan_digits-16", 1500)


def _register(name: str, statement: str, source: str, published: str, better: str, worse: Arm) -> None:
    """Register that Omni-GAN, under the label ``better``, has a lower FID than ``worse``."""
    register_claim(
        Claim(
            name=name,
            statement=statement,
            source=source,
            published=published,
            better=Arm(better, _digits("omnigan"), FID),
            worse=worse,
            note=SCALE,
            minutes=11,
        )
    )


_register(
    "omnigan-over-acgan",
    "The omni-loss gives better samples than AC-GAN's classifier beside a real/fake head.",
    "Omni-GAN, Table 1",
    "CIFAR100, both with weight decay: FID 8.41 against 16.41",
    "Omni-GAN",
    Arm("AC-GAN", _digits("acgan"), FID),
)
_register(
    "omnigan-over-projection",
    "The omni-loss gives better samples than a projection head with the hinge loss.",
    "Omni-GAN, Table 1",
    "CIFAR100: FID 8.41 against 13.73 (both with weight decay) and 10.12 (BigGAN without)",
    "Omni-GAN",
    Arm("BigGAN (projection)", _digits("biggan"), FID),
)
_register(
    "omnigan-two-sided",
    "Supervising fakes by class as well, as the omni-loss does, beats its one-sided form.",
    "Omni-GAN, Fig. 3",
    "CIFAR100: one-sided Omni-GAN is on par with BigGAN",
    "two-sided",
    Arm("one-sided", _digits("omnigan-one-sided"), FID),
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
        minutes=16,
    )
)
register_claim(
    Claim(
        name="one-sided-is-projection",
        statement="The one-sided form, which leaves the other classes' scores alone, does as "
        "well as projection.",
        source="Omni-GAN, Fig. 3 and Fig. 15",
        published="drawn as curves on CIFAR100 and CIFAR10: on par",
        better=Arm("one-sided", _digits("omnigan-one-sided"), FID),
        worse=Arm("BigGAN (projection)", _digits("biggan"), FID),
        margin=0.5,
        note=SCALE + " On par: the interval lies within half of the mean.",
        minutes=11,
    )
)
