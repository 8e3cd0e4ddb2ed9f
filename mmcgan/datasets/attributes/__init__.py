"""Images with attributes."""
