# Projected GAN without labels: one logit a patch.
_base_ = ["./projected.py", "../parts/projected-unconditional.py"]
model = {{_base_._unconditional}}
