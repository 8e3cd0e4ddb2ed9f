"""Commands of the example plugin; nothing here imports torch before a command runs."""
