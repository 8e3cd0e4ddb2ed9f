"""Other codebases' checkpoints become ours, and ours become theirs."""
