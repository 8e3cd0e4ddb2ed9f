# R3GAN on 16 x 16 digits, minutes on two CPU cores.
_base_ = [
    "../_base_/models/r3gan-digits.py",
    "../_base_/datasets/digits-16.py",
    "../_base_/schedules/laptop-r3gan.py",
]
train_dataloader = dict(batch_size=64 * 2)  # batch x (discriminator's and generator's own)
train_cfg = dict(max_iters=2000)
