# The networks of the Omni-GAN paper for CIFAR10.
_generator = dict(base_channels=64, latent_dim=128, shared_embedding=False, hierarchical=False, init="normal")
_discriminator = dict(backbone=dict(base_channels=64, init="normal"), init="normal")
