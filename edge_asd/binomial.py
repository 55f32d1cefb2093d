"""Exact confidence limits of a share, without scipy: a device has to tell them, too."""

from __future__ import annotations

import math

_HALVINGS = 60  # of the interval 0 to 1: beyond the precision of a float
_TINY = 1e-300
_MAX_TERMS = 10_000


def clopper_pearson(count: int, n: int, confidence: float = 0.95) -> tuple[float, float]:
    """Compute the exact binomial confidence interval of a share.

    Its limits are quantiles of beta distributions (Clopper and Pearson, "The use of confidence or
    fiducial limits illustrated in the case of the binomial", Biometrika 26, 1934).

    Parameters
    ----------
    count : int, 0 to n
    n : int >= 1
    confidence : float, between 0 and 1

    Returns
    -------
    low, high : float, 0 to 1
        It holds the true share in at least `confidence` of all cases, however small `n` is.

    Raises
    ------
    ValueError
        If an argument is out of range.
    """
    if not 0 <= count <= n or n < 1 or not 0 < confidence < 1:
        raise ValueError(f"no interval for {count} of {n} at {confidence}")
    tail = (1 - confidence) / 2
    low = _beta_quantile(tail, count, n - count + 1) if count else 0.0
    high = _beta_quantile(1 - tail, count + 1, n - count) if count < n else 1.0
    return low, high


def _beta_quantile(share: float, a: int, b: int) -> float:
    low, high = 0.0, 1.0
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        low, high = (middle, high) if incomplete_beta(a, b, middle) < share else (low, middle)
    return (low + high) / 2


def incomplete_beta(a: float, b: float, x: float) -> float:
    """Compute the regularised incomplete beta function I_x(a, b).

    By its continued fraction (NIST Digital Library of Mathematical Functions, 8.17.22), evaluated
    from its front by Lentz's method, on the side of the mean where it converges fast.

    Parameters
    ----------
    a, b : float > 0
    x : float, between 0 and 1, both excluded
    """
    if x > (a + 1) / (a + b + 2):
        return 1 - incomplete_beta(b, a, 1 - x)
    front = math.exp(math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log1p(-x)) / a
    fraction = upper = 1.0
    lower = 0.0
    for k in range(1, _MAX_TERMS):
        m, odd = divmod(k, 2)
        if odd:
            term = -(a + m) * (a + b + m) * x / ((a + k - 1) * (a + k))
        else:
            term = m * (b - m) * x / ((a + k - 1) * (a + k))
        lower = 1 / (1 + term * lower or _TINY)
        upper = 1 + term / upper or _TINY
        fraction *= upper * lower
        if abs(upper * lower - 1) < 1e-15:
            break
    return front / fraction
