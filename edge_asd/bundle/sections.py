"""Which of a bundle's sections is meant."""

from __future__ import annotations

from edge_asd.bundle.bundle import Bundle
from edge_asd.clips import parse_section
from edge_asd.errors import DataError


def choose_section(bundle: Bundle, section: str | None) -> str:
    """Return the section that is meant: the one given, or the bundle's only one.

    Raises
    ------
    BundleError
        If the bundle does not have it.
    DataError
        If `section` is no number, or none is given and the bundle has several.
    """
    if section is not None:
        chosen = parse_section(section)
        bundle.threshold(chosen)
        return chosen
    if len(bundle.thresholds) > 1:
        raise DataError(f"This bundle has sections {', '.join(sorted(bundle.thresholds))}. Choose one with --section.")
    return next(iter(bundle.thresholds))
