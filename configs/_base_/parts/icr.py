# Improved consistency regularisation (Zhao et al. 2021): consistent for images and for latents, and diverse.
_consistent = dict(
    bcr=dict(type="ImageConsistency", real=10.0, fake=10.0),
    zcr=dict(type="LatentConsistency", weight=20.0, noise=0.05),
    diversity=dict(type="LatentDiversity", weight=0.5, noise=0.05),
)
