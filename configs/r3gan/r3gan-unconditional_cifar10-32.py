# CIFAR10 without labels: 20,732,160 and 20,683,776 parameters.
_base_ = [
    "../_base_/models/r3gan-unconditional.py",
    "../_base_/datasets/cifar10-32.py",
    "../_base_/schedules/r3gan.py",
]
train_dataloader = dict(batch_size=512 * 2)  # batch x (discriminator's and generator's own)
