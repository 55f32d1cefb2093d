"""From a trained run to a bundle: representative data, int8 conversion, thresholds, evaluation.

Needs the extra ``edge-asd[train]``.
"""
