"""What a detector heard: which bands of a sound moved, and how, as values for programs and in words."""
