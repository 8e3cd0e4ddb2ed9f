"""What another codebase's weights and shapes say about our networks."""
