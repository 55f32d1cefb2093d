"""A bundle as a program uses it: load it, score a recording, follow a stream."""

from __future__ import annotations

import math
import os
from pathlib import Path

import numpy as np
import numpy.typing as npt

from edge_asd.audio.health import dead_text
from edge_asd.audio.recording_file import read_recording
from edge_asd.bundle.bundle import Bundle
from edge_asd.bundle.sections import choose_section
from edge_asd.clips import DOMAINS
from edge_asd.detectors.loading import load_detector
from edge_asd.detectors.scores import mean_score
from edge_asd.errors import BundleError, DataError
from edge_asd.frontend import log_mel
from edge_asd.monitor.decisions import Decision
from edge_asd.monitor.engine import Engine
from edge_asd.thresholds import is_anomalous


def load(path: str | os.PathLike[str], *, section: str | int | None = None, domain: str | None = None) -> Detector:
    """Load a bundle to score sound of one section.

    Parameters
    ----------
    path : path-like
        A bundle, made by ``edge-asd quantize`` or ``edge-asd calibrate``.
    section : str or int, optional
        Whose threshold decides; may be left out where the bundle has only one.
    domain : {"source", "target"}, optional
        Decide by this domain's own threshold, where the section has one.

    Returns
    -------
    detector : Detector

    Raises
    ------
    BundleError
        If the bundle is missing, damaged, too new, or has no such section.
    DataError
        If `section` is not a number, or is missing and the bundle has several.

    Examples
    --------
    >>> detector = load("fan.easd", section="00")  # doctest: +SKIP
    >>> detector.score("clip.wav").anomaly  # doctest: +SKIP
    False
    """
    bundle = Bundle.load(Path(path))
    return Detector(bundle, choose_section(bundle, None if section is None else str(section)), domain=domain)


class Detector:
    """A bundle's detector for one section, in the arithmetic that it was evaluated in.

    Parameters
    ----------
    bundle : Bundle
    section : str
        Two digits, such as "00".
    domain : {"source", "target"}, optional
        See `load`.

    Attributes
    ----------
    bundle : Bundle
    section : str
    unit : str
        Of scores and threshold: "dB²", or "nat".
    sample_rate : int [Hz]
        Rate of the samples that `score` and `stream` take.
    threshold : int [Q15.16]
        A score above it is anomalous; 65536 to the unit.

    Raises
    ------
    BundleError
        If the bundle has no such section, or its model is not the one that its manifest describes.
    """

    def __init__(self, bundle: Bundle, section: str, *, domain: str | None = None) -> None:
        if domain not in (None, *DOMAINS):
            raise BundleError(f"There is no domain {domain!r}; use {' or '.join(DOMAINS)}.")
        self.bundle, self.section = bundle, section
        self._domain = domain
        self.threshold = bundle.threshold(section, domain).score
        self._detector = load_detector(bundle)
        self.unit = self._detector.unit
        self.sample_rate = bundle.features.sample_rate

    def score(self, sound: npt.NDArray[np.int16] | str | os.PathLike[str], *, channel: int = 0) -> Decision:
        """Score a whole recording, as ``edge-asd evaluate`` scores a clip.

        Parameters
        ----------
        sound : ndarray, int16 [shape=(n,)], or path-like
            Mono samples at `sample_rate`, or a sound file of any rate. At least as long as one window of
            the model; the threshold belongs to recordings of `Bundle.score_window_frames` frames.
        channel : int >= 0
            Channel of a file to use.

        Returns
        -------
        decision : Decision
            Score and threshold are integers in Q15.16.

        Raises
        ------
        DataError
            If the file cannot be read, or the sound is shorter than one window, silent, or dead somewhere.
        EdgeAsdError
            If an array is not int16 with one axis.
        """
        if isinstance(sound, np.ndarray):
            pcm, name = sound, "The sound"
            others: tuple[int, ...] = ()
        else:
            recording = read_recording(sound, sample_rate=self.sample_rate, channel=channel)
            pcm, name, others = recording.pcm, str(sound), recording.sounding_channels
        frames = log_mel(pcm, self.bundle.features)
        spec = self.bundle.features
        if len(frames) < self.bundle.window_frames:
            seconds = spec.sample_count(self.bundle.window_frames) / spec.sample_rate
            raise DataError(f"The sound is shorter than one window of the model, {seconds:.2f} s. Record longer.")
        if text := dead_text(pcm, self.sample_rate, channel=channel, sounding=others):
            raise DataError(f"{name} {text}")
        windows = self._detector.window_scores(frames, self.section)
        score = mean_score(windows)
        last = self.bundle.window_frames + (len(windows) - 1) * self.bundle.window_hop
        return Decision(
            time_s=spec.sample_count(last) / spec.sample_rate,
            section=self.section,
            score=score,
            threshold=self.threshold,
            anomaly=is_anomalous(score, self.threshold),
        )

    def stream(self, *, interval_s: float = 1.0) -> Engine:
        """Start to follow a stream: push samples into what is returned, and take the decisions it gives.

        Parameters
        ----------
        interval_s : float > 0 [s]
            Time between two decisions; the first falls when the score's span has been heard.

        Raises
        ------
        ValueError
            If `interval_s` is not above zero, or not finite.

        Examples
        --------
        >>> stream = detector.stream()  # doctest: +SKIP
        >>> for block in blocks:  # doctest: +SKIP
        ...     for decision in stream.push(block):
        ...         print(decision)
        >>> stream.finish()  # doctest: +SKIP
        """
        if not 0 < interval_s < math.inf:
            raise ValueError(f"interval_s is {interval_s}; give a number of seconds above 0")
        return Engine(self.bundle, self.section, domain=self._domain, interval_s=interval_s)
