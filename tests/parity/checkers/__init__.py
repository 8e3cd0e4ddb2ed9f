"""One module of checkers per family of golden cases."""
