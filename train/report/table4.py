"""Table 4 of the MIMII DUE paper (arXiv:2105.02702) as data: AUC of the published baselines, sections 00-02."""

from __future__ import annotations

from functools import cache

from edge_asd.bundle.kinds import AUTOENCODER, SECTION_CLASSIFIER
from edge_asd.clips import DOMAINS, Domain

_MODELS = (AUTOENCODER.name, SECTION_CLASSIFIER.name)

# Source and target of one model, then of the other.
_ROWS: dict[str, list[tuple[float, float, float, float]]] = {
    "fan": [(0.667, 0.697, 0.436, 0.533), (0.674, 0.500, 0.783, 0.781), (0.642, 0.662, 0.742, 0.604)],
    "gearbox": [(0.560, 0.743, 0.814, 0.750), (0.728, 0.721, 0.607, 0.563), (0.590, 0.664, 0.716, 0.644)],
    "pump": [(0.675, 0.580, 0.641, 0.591), (0.824, 0.474, 0.863, 0.719), (0.639, 0.628, 0.537, 0.502)],
    "slider": [(0.741, 0.672, 0.615, 0.520), (0.822, 0.669, 0.800, 0.468), (0.783, 0.462, 0.799, 0.556)],
    "valve": [(0.503, 0.471, 0.583, 0.522), (0.535, 0.564, 0.536, 0.686), (0.599, 0.552, 0.561, 0.536)],
}


@cache
def table4() -> dict[tuple[str, str, Domain | None, str], float]:
    """Return the published AUC by machine, section, domain and model."""
    columns = [(domain, model) for model in _MODELS for domain in DOMAINS]
    return {
        (machine, f"{i:02d}", domain, model): auc
        for machine, rows in _ROWS.items()
        for i, row in enumerate(rows)
        for (domain, model), auc in zip(columns, row, strict=True)
    }
