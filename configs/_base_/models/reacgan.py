# ReACGAN (Kang et al., 2021) on BigGAN's networks: normalised embeddings and D2D-CE with margins,
# as for CIFAR10 (Table A2).
_base_ = "./contragan.py"
model = dict(
    losses=dict(
        contrastive=dict(
            _delete_=True,
            type="D2DCELoss",
            temperature=0.5,
            positive_margin=0.98,
            weights=dict(real=0.5, generated=0.5),
        ),
    ),
)
