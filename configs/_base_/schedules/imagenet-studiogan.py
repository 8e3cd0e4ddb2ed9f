# ImageNet at ReACGAN's settings M to Q (Table A1); several GPUs expected. M, P and Q train for 200,000
# generator updates, N and O for 600,000.
_base_ = "./imagenet.py"
optim_wrapper = dict(generator=dict(optimizer=dict(lr=5e-5)), discriminator=dict(optimizer=dict(lr=2e-4)))
