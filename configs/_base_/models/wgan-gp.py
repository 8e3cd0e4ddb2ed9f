# WGAN-GP (Gulrajani et al., 2017): gradients of length 1 between real and generated images.
_base_ = "./wgan.py"
model = dict(regularizers=dict(penalty=dict(type="GradientPenalty", weight=10.0)))
