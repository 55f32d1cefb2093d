"""Figure 2: test windows by t-SNE, as the MobileNetV2 baseline sees them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from edge_asd.clips import UNKNOWN_DOMAIN
from edge_asd.frontend.spec import FeatureSpec
from edge_asd.train.data.dataset import Clip
from edge_asd.train.features.cache import FeatureCache
from edge_asd.train.features.windows import Windows
from edge_asd.train.networks.section_classifier import SECTION_FRAMES
from edge_asd.train.report.drawing import DOMAIN_COLOURS, Picture, as_png, new_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MAX_WINDOWS = 480
"""Windows of a machine, at most: with them t-SNE takes about two seconds."""

_COMPONENTS, _PERPLEXITY, _FEWEST = 50, 30.0, 5

Label = str | None
Group = tuple[str, str, Label]
"""Section, domain and label."""


def scatter_picture(
    machine: str, clips: Sequence[Clip], labels: Sequence[Label], cache: FeatureCache
) -> Picture | None:
    """Draw the test windows of a machine in two dimensions.

    Every section, domain and label gets the same number of windows, evenly spaced over its clips.

    Parameters
    ----------
    machine : str
    clips : sequence of Clip [length n]
    labels : sequence of {"normal", "anomaly"} or None [length n]
    cache : FeatureCache

    Returns
    -------
    picture : Picture or None
        None where there are fewer than five windows.

    Raises
    ------
    DataError
        If a clip cannot be read.
    """
    groups: dict[Group, list[Clip]] = {}
    for clip, label in zip(clips, labels, strict=True):
        groups.setdefault((clip.name.section, clip.name.domain or UNKNOWN_DOMAIN, label), []).append(clip)
    ordered = sorted(groups, key=lambda group: tuple(value or "" for value in group))
    of_window: list[Group] = []
    vectors = []
    for group in ordered:
        windows = _choose(groups[group], MAX_WINDOWS // len(groups), cache)
        vectors.append(windows)
        of_window += [group] * len(windows)
    if len(of_window) < _FEWEST:
        return None
    return _draw(machine, project(np.concatenate(vectors)), of_window)


def project(vectors: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Reduce vectors to two dimensions by PCA and t-SNE; the same input gives the same output.

    Source: van der Maaten and Hinton, "Visualizing data using t-SNE", JMLR 9 (2008), who also go
    through principal components first.

    Parameters
    ----------
    vectors : ndarray, float32 [shape=(n, d), n >= 5]

    Returns
    -------
    points : ndarray, float32 [shape=(n, 2)]
    """
    from sklearn.decomposition import PCA
    from sklearn.manifold import TSNE
    from threadpoolctl import threadpool_limits

    n = len(vectors)
    if not np.ptp(vectors, axis=0).any():  # all alike: there is nothing to unfold
        return np.zeros((n, 2), np.float32)
    tsne = TSNE(perplexity=min(_PERPLEXITY, (n - 1) / 3), init="pca", random_state=0)
    # One thread: sums in one order, and no threads that wait for each other on a busy machine.
    with threadpool_limits(1):
        few = PCA(min(_COMPONENTS, n - 1), svd_solver="full").fit_transform(vectors.astype(np.float64))
        points: npt.NDArray[np.float32] = tsne.fit_transform(few)
        return points


def _choose(clips: Sequence[Clip], count: int, cache: FeatureCache) -> npt.NDArray[np.float32]:
    """Return up to `count` windows, spread over clips first and over their time then; short clips have none."""
    spread = clips if len(clips) <= count else [clips[i * len(clips) // count] for i in range(count)]
    features = cache.features(spread, FeatureSpec(), 1)
    usable = [entry for entry in features if len(entry.frames) >= SECTION_FRAMES]
    if not usable:
        return np.empty((0, SECTION_FRAMES * FeatureSpec().n_mels), np.float32)
    numbers: list[int] = []
    first = 0
    for i, entry in enumerate(usable):
        there = len(entry.frames) - SECTION_FRAMES + 1
        # Windows of one clip do not overlap by more than half.
        wanted = count // len(usable) + (i < count % len(usable))
        wanted = max(1, min(wanted, 1 + (there - 1) // (SECTION_FRAMES // 2)))
        numbers += [first + int((k + 0.5) * there / wanted) for k in range(wanted)]
        first += there
    return Windows(usable, SECTION_FRAMES).gather(np.array(numbers[:count], np.int64))


def _draw(machine: str, points: npt.NDArray[np.float32], groups: Sequence[Group]) -> Picture:
    figure = new_figure(4.6, 4.9)
    axes = figure.add_subplot()
    counts: Mapping[Group, int] = {group: groups.count(group) for group in dict.fromkeys(groups)}
    kinds = [(domain, label) for domain in DOMAIN_COLOURS for label in ("normal", "anomaly", None)]
    for domain, label in kinds:
        chosen = np.array([group[1:] == (domain, label) for group in groups])
        if not chosen.any():
            continue
        colour = DOMAIN_COLOURS[domain]
        styles: dict[Label, dict[str, Any]] = {
            "normal": {"marker": "o", "s": 16, "facecolors": "none", "edgecolors": colour, "linewidths": 0.9},
            "anomaly": {"marker": "x", "s": 18, "color": colour, "linewidths": 0.9},
            None: {"marker": ".", "s": 14, "color": colour, "alpha": 0.6},
        }
        axes.scatter(*points[chosen].T, label=f"{domain}, {label or 'label unknown'}", **styles[label])
    _mark_sections(axes, points, groups)
    axes.set_xticks([]), axes.set_yticks([])
    axes.margins(0.08)
    axes.set_xlabel("first dimension")
    axes.set_ylabel("second dimension")
    figure.legend(loc="outside lower center", ncols=2, frameon=False, fontsize=9)
    sections = sorted({section for section, _, _ in groups})
    listed = "; ".join(
        f"section {section}, {domain}, {label or 'label unknown'}: {count}"
        for (section, domain, label), count in counts.items()
    )
    alt = f"t-SNE of {len(groups)} test windows of {machine}. Windows: {listed}."
    caption = f"{machine}, {len(groups)} windows of section{'s' * (len(sections) > 1)} {', '.join(sections)}"
    return Picture(as_png(figure), alt, caption)


def _mark_sections(axes: Axes, points: npt.NDArray[np.float32], groups: Sequence[Group]) -> None:
    """Write each section's number where most of its windows of a domain are."""
    from matplotlib.patheffects import withStroke

    if len({section for section, _, _ in groups}) < 2:
        return
    for section, domain in dict.fromkeys(group[:2] for group in groups):
        mine = points[[group[:2] == (section, domain) for group in groups]]
        # The window in the middle of the others: the mean of two clusters would lie in neither.
        distances = np.abs(mine[:, None] - mine[None]).sum(axis=2)
        x, y = mine[np.median(distances, axis=1).argmin()]
        axes.text(
            x,
            y,
            section,
            color=DOMAIN_COLOURS[domain],
            fontsize=12,
            weight="bold",
            ha="center",
            va="center",
            path_effects=[withStroke(linewidth=3, foreground="white")],
        )
