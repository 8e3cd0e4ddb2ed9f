"""What an evaluation asks of the generator: seeded latents and conditions."""
