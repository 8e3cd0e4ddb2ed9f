# WGAN-div (Wu et al., 2018): the sixth power of the gradient's length.
_base_ = "./wgan.py"
model = dict(regularizers=dict(penalty=dict(type="DivergencePenalty", weight=2.0, power=6.0)))
