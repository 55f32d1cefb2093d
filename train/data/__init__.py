"""Data sets in the layout of MIMII DUE: their clips, labels, splits, hashes, counts and faults."""
