# Lipschitz GAN (Zhou et al., 2019): the largest gradient of the mini-batch is penalised.
_base_ = "./wgan.py"
model = dict(
    losses=dict(adversarial=dict(_delete_=True, type="NonSaturatingLoss")),
    regularizers=dict(penalty=dict(type="MaxGradientPenalty", weight=10.0)),
)
