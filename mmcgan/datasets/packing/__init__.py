"""Data sets packed into shards for fast reading."""
