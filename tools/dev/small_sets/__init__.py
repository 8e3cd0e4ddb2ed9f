"""What ``tools/dev/choosing.py`` writes and draws."""
