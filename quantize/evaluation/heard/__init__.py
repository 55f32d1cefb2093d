"""Which bands moved in the test clips that a detector flags, in words, as JSON and as a picture."""
