# WGAN with weight clipping (Arjovsky et al., 2017).
_base_ = "./wgan.py"
model = dict(regularizers=dict(clipping=dict(type="WeightClipping", bound=0.01)))
