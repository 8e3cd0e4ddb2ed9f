"""Training of the small networks that evaluation and instances look through."""
