"""Functions that measure what no log and no evaluation has: each takes a run and returns figures by name."""
