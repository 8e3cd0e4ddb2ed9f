"""Augmentations in front of the discriminator: image -> image, inside ``score()``."""
