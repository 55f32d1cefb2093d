"""The live detector: samples in, decisions out."""
