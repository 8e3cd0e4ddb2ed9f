"""Our networks, back in the names, shapes and settings of another codebase."""
