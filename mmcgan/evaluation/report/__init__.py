"""What an evaluation leaves behind, and what it is asked by name."""
