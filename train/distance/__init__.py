"""Fitting the distance detector: in floating point from clips' features, then to the integers that ship."""
