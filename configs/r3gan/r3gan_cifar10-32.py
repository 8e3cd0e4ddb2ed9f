# The authors' CIFAR10 preset: 20,781,952 and 21,280,512 parameters, batch 512.
_base_ = [
    "../_base_/models/r3gan-augment.py",
    "../_base_/datasets/cifar10-32.py",
    "../_base_/schedules/r3gan.py",
]
train_dataloader = dict(batch_size=512 * 2)  # batch x (discriminator's and generator's own)
