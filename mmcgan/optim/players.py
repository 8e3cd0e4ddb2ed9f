"""The two sides of the game, as sections of a config name them."""

PLAYERS = ("generator", "discriminator")
