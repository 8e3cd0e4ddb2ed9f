"""TAC's mixture: who fits classes that overlap."""

from mmcgan.claims.claim import Arm, Claim
from mmcgan.claims.figure import Measured
from mmcgan.claims.measures.mixture import fitted
from mmcgan.claims.registry import register_claim
from mmcgan.claims.source import Experiment

ITERATIONS = 2000


def _arm(label: str, method: str) -> Arm:
    return Arm(
        label, Experiment(f"mixture-{method}", ITERATIONS), Measured("variation", fitted, {"method": method})
    )


for name, statement, better, worse in (
    (
        "tac-fits-the-mixture",
        "A twin classifier lets AC-GAN fit classes that overlap, which AC-GAN alone makes too narrow.",
        _arm("TAC-GAN", "tacgan"),
        _arm("AC-GAN", "acgan"),
    ),
    (
        "tac-mends-reacgan-on-the-mixture",
        "ReACGAN misses classes that overlap as AC-GAN does, and the twin classifier mends it too.",
        _arm("ReACGAN + TAC", "reacgan-tac"),
        _arm("ReACGAN", "reacgan"),
    ),
):
    register_claim(
        Claim(
            name=name,
            statement=statement,
            source="ReACGAN, Appendix E and Fig. A4",
            published="drawn as densities; no figure is given",
            better=better,
            worse=worse,
            note="N(0, 1), N(3, 2²) and N(6, 3²), equally likely; total variation of 20,000 "
            "samples a class from "
            "the truth, mean of the classes.",
            minutes=3,
        )
    )
