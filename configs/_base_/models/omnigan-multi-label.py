# Omni-GAN with attributes (Zhou et al., 2021, Appendix E): one positive in every group, beside "real".
_base_ = "./omnigan.py"
model = dict(
    losses=dict(omni=dict(inputs=dict(score="omni.score", attributes="cond.attributes"))),
    condition_sampler=dict(_delete_=True, type="UniformAttributes"),
)
