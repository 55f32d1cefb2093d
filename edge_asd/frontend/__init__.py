"""Sound to log-mel spectrogram: one integer specification (`spec.FRONTEND_NUMBER`).

`fixed_point` is the specification in NumPy, `tables` its constants, and
`float_reference` the floating-point log-mel that the paper's baselines use.
"""

from edge_asd.frontend.fixed_point import log_mel

__all__ = ["log_mel"]
