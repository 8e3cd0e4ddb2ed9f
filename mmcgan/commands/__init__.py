"""Commands that parse for themselves; heavy imports wait until the arguments are read."""
