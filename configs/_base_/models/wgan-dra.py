# DRAGAN's penalty (Kodali et al., 2017) on a Wasserstein critic: gradients of length 1 around real images.
_base_ = "./wgan.py"
model = dict(regularizers=dict(penalty=dict(type="PerturbationPenalty", weight=10.0)))
