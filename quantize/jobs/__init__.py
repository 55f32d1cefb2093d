"""Whole jobs over many stages: the demonstration, and the reproduction of the paper's table."""
