"""Made-up streams around every length that the dead-input rule knows of."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from hypothesis import strategies as st

Pcm = npt.NDArray[np.int16]

KINDS = ("noise", "quiet", "constant", "dither", "drift", "click", "step", "full scale")


def sound(rng: np.random.Generator, rate: int, pieces: int, kinds: tuple[str, ...] = KINDS) -> Pcm:
    """Make noise, loud and nearly flat, lines that are constant, dithered or drifting, clicks and steps.

    Parameters
    ----------
    rng : numpy.random.Generator
    rate : int [Hz]
        Lines are of lengths around those that count at this rate.
    pieces : int
    kinds : tuple of str, of `KINDS`
    """
    window, click, least = rate // 100, rate // 2000, round(rate / 2)
    level = int(rng.choice([-32768, -2, 0, 1000, 32767]))
    parts = [np.zeros(0, np.int64)]
    for _ in range(pieces):
        kind = rng.choice(kinds)
        n = int(rng.choice([1, window, least // 2, least - window, least, int(rng.integers(1, 3 * least))]))
        n = max(1, n + int(rng.integers(-click - 2, click + 3)))
        match kind:
            case "noise":
                parts.append(rng.integers(-2000, 2000, n))
            case "quiet":
                parts.append(np.rint(rng.normal(level, rng.choice([0.5, 1, 2, 5]), n)).astype(np.int64))
            case "drift":
                parts.append(level + np.arange(n) // int(rng.integers(1, window)))
            case "click":
                parts.append(rng.integers(-9000, 9000, int(rng.integers(1, click + 3))))
            case "step":
                level += int(rng.integers(-4, 5))
            case "full scale":
                parts.append(rng.choice([-32768, 32767], int(rng.integers(1, 9))))
            case _:
                width = 1 if kind == "dither" else 0
                parts.append(level + rng.integers(-width, width + 1, n))
    return np.clip(np.concatenate(parts), -32768, 32767).astype(np.int16)


def sounds(rate: int, *, most: int = 10, kinds: tuple[str, ...] = KINDS) -> st.SearchStrategy[Pcm]:
    """Streams of up to `most` pieces."""
    return st.builds(
        lambda seed, pieces: sound(np.random.default_rng(seed), rate, pieces, kinds),
        st.integers(0, 2**32 - 1),
        st.sampled_from([1, *range(2 + most // 2, most + 1)]),
    )


def blocks(pcm: Pcm, seed: int, usual: int) -> list[Pcm]:
    """Cut a stream at random: into blocks of about the usual length, of a few samples, and some of none."""
    rng = np.random.default_rng(seed)
    sizes = []
    while sum(sizes) < pcm.size:
        sizes.append(int(rng.choice([0, 1, int(rng.integers(1, 30)), int(rng.integers(1, 2 * usual))])))
    return np.split(pcm, np.cumsum(sizes[:-1]))
