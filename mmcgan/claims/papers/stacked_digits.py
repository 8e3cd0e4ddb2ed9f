"""Stacked digits, the test of mode coverage: objectives, penalties and conditions with a thousand modes."""

from typing import Any

from mmcgan.claims.claim import Arm, Claim
from mmcgan.claims.figure import Logged
from mmcgan.claims.registry import register_claim
from mmcgan.claims.source import OfBudget, Training

MODES = Logged("modes_found")
UPDATES = 1500
#: what BigGAN's networks have instead of penalties
UNNORMALISED = {
    "model.discriminator.backbone.spectral_norm": None,
    "model.discriminator.heads.adv.spectral_norm": False,
}
PENALTIES = {"model.regularizers": {name.lower(): {"type": name, "weight": 0.05} for name in ("R1", "R2")}}
SCALE = (
    "Three digits of 16 px in three colours, 50,000 images of 1,000 classes; modes among 26,000 samples by a "
    "classifier."
)
NETWORKS = " BigGAN's networks without spectral norm for every objective; R1 and R2 weigh 0.05."


def _stacked(config: str, **options: Any) -> Training:
    return Training(f"{config}_stacked-digits-16", UPDATES, evaluations=1, options=options)


def _objective(loss: str, penalised: bool, conditional: bool) -> Arm:
    """Return an arm of one objective; pairs of the relativistic one, and so all, are of equal class."""
    options: dict[str, Any] = {"model.losses.adversarial.type": loss, **UNNORMALISED}
    if penalised:
        options |= PENALTIES
    if conditional:
        options["model.condition_sampler.type"] = "RealCondition"
    training = _stacked("biggan" if conditional else "biggan-unconditional", **options)
    return Arm(f"{LOSSES[loss]}, {'R1 and R2' if penalised else 'no penalty'}", training, MODES)


LOSSES = {"RelativisticLoss": "relativistic", "NonSaturatingLoss": "non-saturating", "HingeLoss": "hinge"}


def _register_objectives(conditional: bool) -> None:
    kind, words = (
        ("of-classes", "With 1,000 classes") if conditional else ("unconditional", "Without classes")
    )
    arms = {(loss, on): _objective(loss, on, conditional) for loss in LOSSES for on in (True, False)}
    best = arms.pop(("RelativisticLoss", True))
    comparisons = {
        "relativistic-over-non-saturating": (("NonSaturatingLoss", True), "than the logistic loss with both"),
        "penalties-with-relativistic": (("RelativisticLoss", False), "than the relativistic loss alone"),
    }
    for name, (other, end) in comparisons.items():
        register_claim(
            Claim(
                name=f"{name}-{kind}",
                statement=f"{words}, relativistic pairs with R1 and R2 find more modes {end}.",
                source="R3GAN (Huang et al., 2024), Section 2 and Table 1",
                published="stacked MNIST: all 1,000; fewer with the logistic loss; with R1 alone both fail",
                better=best,
                worse=arms[other],
                also=tuple(arm for key, arm in arms.items() if key != other),
                lower=False,
                note=SCALE + NETWORKS,
                minutes=45,
            )
        )


for each in (False, True):
    _register_objectives(each)
register_claim(
    Claim(
        name="growing-conditions-find-more-modes",
        statement="With 50 images a class, a condition that grows in finds more modes than one at once.",
        source="Shahbazi et al. (2022), Collapse by Conditioning",
        published="on small sets conditioning makes StyleGAN2-ADA collapse; no stacked digits",
        better=Arm(
            "growing",
            _stacked(
                "biggan-growing",
                **{
                    "default_hooks.growing.values.condition_weight.begin": OfBudget(1 / 3),
                    "default_hooks.growing.values.condition_weight.until": OfBudget(2 / 3),
                },
            ),
            MODES,
        ),
        worse=Arm("projection from the start", _stacked("biggan"), MODES),
        also=(
            Arm("unconditional", _stacked("biggan-unconditional"), MODES),
            Arm("Omni-GAN", _stacked("omnigan_biggan"), MODES),
            Arm("ReACGAN", _stacked("reacgan_biggan"), MODES),
        ),
        lower=False,
        note=SCALE + " The condition grows in the second third of the training.",
        minutes=20,
    )
)
