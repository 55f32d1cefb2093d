"""Figure 1: the power spectrogram of one healthy clip a machine."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from edge_asd.clips import UNKNOWN_DOMAIN
from edge_asd.frontend.spec import FLOOR_POWER, FeatureSpec
from edge_asd.train.data.dataset import Clip, Dataset
from edge_asd.train.report.drawing import Picture, as_png, new_figure


def spectrogram_picture(dataset: Dataset, sections: Sequence[str]) -> Picture | None:
    """Draw the first healthy clip of the source domain; of the target domain where there is no such clip.

    Parameters
    ----------
    dataset : Dataset
    sections : sequence of str
        In order of preference.

    Returns
    -------
    picture : Picture or None
        None where no clip is known to be healthy.

    Raises
    ------
    DataError
        If the clip cannot be read.
    """
    clip = _choose(dataset, sections)
    if clip is None:
        return None
    from scipy.signal import spectrogram

    spec = FeatureSpec()
    pcm = clip.read(spec, 1).pcm.astype(np.float64) / 32768
    hz, seconds, power = spectrogram(
        pcm,
        spec.sample_rate,
        window="hann",
        nperseg=spec.n_fft,
        noverlap=spec.n_fft - spec.hop_length,
        detrend=False,
        scaling="spectrum",
    )
    db = 10 * np.log10(np.maximum(power, FLOOR_POWER))
    low, high = np.percentile(db, [2, 99.9])

    figure = new_figure(4.6, 3.1)
    axes = figure.add_subplot()
    step = spec.hop_length / spec.sample_rate
    image = axes.imshow(
        db,
        origin="lower",
        aspect="auto",
        extent=(seconds[0] - step / 2, seconds[-1] + step / 2, hz[0] / 1000, hz[-1] / 1000),
        vmin=low,
        vmax=max(high, low + 1),
        cmap="viridis",
        interpolation="nearest",
    )
    axes.set_xlim(0, pcm.size / spec.sample_rate)
    axes.set_xlabel("time [s]")
    axes.set_ylabel("frequency [kHz]")
    figure.colorbar(image, label="power [dB re full scale]")
    name = clip.name
    what = f"section {name.section}, {name.domain or UNKNOWN_DOMAIN} domain, normal"
    peak = hz[int(np.argmax(power.mean(axis=1)))]
    alt = (
        f"Power spectrogram of {dataset.machine}, {what}: "
        f"{pcm.size / spec.sample_rate:.3g} s, 0 to {hz[-1] / 1000:g} kHz, "
        f"colours from {low:.0f} to {high:.0f} dB; most power lies near {peak / 1000:.2f} kHz."
    )
    return Picture(as_png(figure), alt, f"{dataset.machine}: {clip.path.name}")


def _choose(dataset: Dataset, sections: Sequence[str]) -> Clip | None:
    order = list(sections)
    healthy = [clip for clip in dataset.clips if clip.name.label == "normal" and clip.name.section in order]
    return min(
        healthy,
        key=lambda clip: (
            clip.name.domain or UNKNOWN_DOMAIN,
            order.index(clip.name.section),
            clip.name.split == "test",
            clip.key,
        ),
        default=None,
    )
