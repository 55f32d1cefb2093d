"""Anomaly scores as integers in Q15.16, the same on every device.

A score is an int32, 65536 to the dB^2 (autoencoder, never negative) or to the nat (section
classifier), saturated at +-(2^31 - 1). Sums of N such scores stay within 2^31 * N and cannot
overflow int64.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

SCORE_FRACTION_BITS = 16
SCORE_MAX = 2**31 - 1


def score_value(score: int) -> float:
    """Turn an integer score into dB^2 or nat, for people to read."""
    return score / float(1 << SCORE_FRACTION_BITS)


def told_apart(score: int, threshold: int) -> tuple[str, str]:
    """Write a score and a threshold for people, with as many digits as tell them apart: two, or up to five.

    Parameters
    ----------
    score, threshold : int [Q15.16]
    """
    for digits in range(2, 6):
        texts = f"{score_value(score):.{digits}f}", f"{score_value(threshold):.{digits}f}"
        if texts[0] != texts[1] or score == threshold:
            break
    return texts


def mean_score(window_scores: npt.NDArray[np.int32]) -> int:
    """Mean of window scores, rounded half up: floor((sum + n // 2) / n).

    Parameters
    ----------
    window_scores : ndarray, int32 [shape=(n,), n >= 1, Q15.16]

    Returns
    -------
    score : int [Q15.16]
    """
    return _rounded_mean(int(window_scores.sum(dtype=np.int64)), len(window_scores))


def span_scores(window_scores: npt.NDArray[np.int32], windows: int, step: int) -> list[int]:
    """Scores of spans of `windows` windows, one every `step` windows; what is left over counts in none.

    Parameters
    ----------
    window_scores : ndarray, int32 [shape=(n,), Q15.16]
    windows, step : int > 0
        Of a bundle: `windows_per_score` and `span_step`, so that no two spans share a window.

    Returns
    -------
    scores : list of int [Q15.16]
    """
    return [
        mean_score(window_scores[first : first + windows]) for first in range(0, len(window_scores) - windows + 1, step)
    ]


def _rounded_mean(total: int, n: int) -> int:
    return (total + n // 2) // n


class RollingScore:
    """Mean of the last `windows` window scores; equal to `mean_score` of them.

    Parameters
    ----------
    windows : int > 0
        Number of windows in one score.
    """

    def __init__(self, windows: int) -> None:
        self._ring = np.zeros(windows, dtype=np.int32)
        self._sum, self._count = 0, 0

    def push(self, score: int) -> int | None:
        """Add a window's score; return the mean once `windows` have been seen, else None."""
        place = self._count % len(self._ring)
        self._sum += score - int(self._ring[place])
        self._ring[place] = score
        self._count += 1
        return None if self._count < len(self._ring) else _rounded_mean(self._sum, len(self._ring))
