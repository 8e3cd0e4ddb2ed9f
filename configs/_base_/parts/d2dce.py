# ReACGAN's loss as for CIFAR10 (Table A2), beside another one.
_d2dce = dict(type="D2DCELoss", temperature=0.5, positive_margin=0.98, weights=dict(real=0.5, generated=0.5))
