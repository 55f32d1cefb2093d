"""What a bundle's manifest says of scales and thresholds: records, to JSON and strictly back."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

from edge_asd.clips import DOMAINS
from edge_asd.errors import BundleError
from edge_asd.strict_json import StrictReader

Json = dict[str, Any]

LEAST_OFF_LEVEL_DB = -120.0
"""Lowest machine-off level [dB re full scale]; a 16-bit sample's last bit is at -90."""

_MANY = 10**9  # clips


@dataclass(frozen=True, slots=True)
class Quantisation:
    """How one int8 tensor stands for decibels: dB = scale * (q - zero_point).

    Attributes
    ----------
    scale : float > 0 [dB]
        Exactly the float32 in the model file.
    zero_point : int, -128 to 127
    multiplier : int
        `scale` as the integer that the fixed-point arithmetic uses: for the input
        round(2^16 / scale), for the output round(2^24 * scale).
    """

    scale: float
    zero_point: int
    multiplier: int

    def as_json(self) -> Json:
        """Return it as plain JSON."""
        return asdict(self)

    @classmethod
    def parse(cls, reader: StrictReader) -> Quantisation:
        """Read what `as_json` made.

        Raises
        ------
        BundleError
        """
        value = cls(
            scale=reader.take("scale", float),
            zero_point=reader.integer("zero_point", -128, 127),
            multiplier=reader.integer("multiplier", 1, 2**31 - 1),
        )
        reader.finish()
        if not value.scale > 0:
            raise BundleError(f"{reader.where}: scale must be greater than 0.")
        return value


def complement(share: float) -> float:
    """Return 1 - `share` as a person would write it: 0.95, not 0.9499999999999999."""
    return round(1 - share, 12)


@dataclass(frozen=True, slots=True)
class FalsePositives:
    """How many of the healthy clips that a threshold was fitted on lie above it.

    Attributes
    ----------
    flagged, clips : int
        Of all domains together.
    low, high : float, 0 to 1
        Exact 95 % confidence interval of the rate (`edge_asd.binomial.clopper_pearson`).
    """

    flagged: int
    clips: int
    low: float
    high: float

    @property
    def rate(self) -> float:
        """Share of the clips that is flagged."""
        return self.flagged / self.clips

    @classmethod
    def parse(cls, reader: StrictReader) -> FalsePositives:
        """Read it from JSON.

        Raises
        ------
        BundleError
        """
        value = cls(
            clips=(clips := reader.integer("clips", 1, _MANY)),
            flagged=reader.integer("flagged", 0, clips),
            low=reader.take("low", float),
            high=reader.take("high", float),
        )
        reader.finish()
        if not 0 <= value.low <= value.rate <= value.high <= 1:
            raise BundleError(f"{reader.where}: {value.low} to {value.high} is no interval of {value.rate}.")
        return value


@dataclass(frozen=True, slots=True)
class Threshold:
    """Decision threshold of a section: a clip is anomalous when its score is greater.

    Attributes
    ----------
    score : int [Q15.16]
        In the unit of the bundle's kind of detector.
    method : str
        How it was fitted: "quantile", "gamma" or "false-positive-rate".
    quantile : float, 0 to 1
        One less the false-positive rate that was asked for.
    clips : dict of str to int
        Number of healthy clips it was fitted on, by domain; a clip of several score spans counts
        as so many.
    false_positives : FalsePositives, optional
        What became of the false-positive rate that was asked for.
    calibrated : bool
        Fitted by ``edge-asd calibrate`` on recordings of its own, after training.
    domains : dict of {"source", "target"} to Threshold
        Thresholds of single domains, where they have their own; these have no further ones.
    off_level_db : float, optional, -120 to 0 [dB re full scale]
        Level below which the machine is off (`edge_asd.monitor.span_watch`), a multiple of 0.1; None where sound of
        every level is judged. Of a section, never of a domain.
    previous : Threshold, optional
        What the section had before it was calibrated last, its domains and machine-off level included; it has no
        previous one itself.
    """

    score: int
    method: str
    quantile: float
    clips: dict[str, int]
    false_positives: FalsePositives | None = None
    calibrated: bool = False
    domains: dict[str, Threshold] = field(default_factory=dict)
    off_level_db: float | None = None
    previous: Threshold | None = None

    @property
    def needs_schema_2(self) -> bool:
        """It says something that schema 1 has no word for."""
        return self.off_level_db is not None or self.previous is not None

    @property
    def asked(self) -> float:
        """What was asked for: the false-positive rate where `method` says so, the quantile otherwise."""
        return complement(self.quantile) if self.method == "false-positive-rate" else self.quantile

    def as_json(self) -> Json:
        """Return it as plain JSON; what does not apply is left out."""
        value: Json = {name: getattr(self, name) for name in ("score", "method", "quantile", "clips")}
        if self.false_positives is not None:
            value["false_positives"] = asdict(self.false_positives)
        if self.calibrated:
            value["calibrated"] = True
        if self.domains:
            value["domains"] = {domain: fitted.as_json() for domain, fitted in sorted(self.domains.items())}
        if self.off_level_db is not None:
            value["off_level_db"] = self.off_level_db
        if self.previous is not None:
            value["previous"] = self.previous.as_json()
        return value

    @classmethod
    def parse(
        cls, reader: StrictReader, schema: int, *, of_domain: bool = False, is_previous: bool = False
    ) -> Threshold:
        """Read what `as_json` made.

        Parameters
        ----------
        reader : StrictReader
        schema : int
            Of the manifest; keys of a later one are unknown.
        of_domain : bool
            It is the threshold of a single domain.
        is_previous : bool
            It is one from before.

        Raises
        ------
        BundleError
        """
        clips = reader.child("clips")
        value = cls(
            score=reader.integer("score", 1 - 2**31, 2**31 - 1),
            method=reader.take("method", str),
            quantile=reader.take("quantile", float),
            clips={domain: clips.integer(domain, 0, _MANY) for domain in clips.keys},
            false_positives=FalsePositives.parse(reader.child("false_positives"))
            if "false_positives" in reader.keys
            else None,
            calibrated=reader.take("calibrated", bool) if "calibrated" in reader.keys else False,
            domains=_domains(reader.child("domains"), schema) if "domains" in reader.keys and not of_domain else {},
            off_level_db=_off_level(reader) if "off_level_db" in reader.keys and schema > 1 and not of_domain else None,
            previous=cls.parse(reader.child("previous"), schema, is_previous=True)
            if "previous" in reader.keys and schema > 1 and not (of_domain or is_previous)
            else None,
        )
        reader.finish()
        if not 0 <= value.quantile <= 1:
            raise BundleError(f"{reader.where}: 'quantile' is {value.quantile}, outside 0 to 1.")
        return value


def is_off_level(level_db: float) -> bool:
    """Tell whether a machine-off level can be written: -120 to 0 dB re full scale, a multiple of 0.1."""
    return LEAST_OFF_LEVEL_DB <= level_db <= 0 and round(level_db, 1) == level_db


def _off_level(reader: StrictReader) -> float:
    level_db: float = reader.take("off_level_db", float)
    if not is_off_level(level_db):
        raise reader.refusal(
            f"'off_level_db' is {level_db}, not a multiple of 0.1 from {LEAST_OFF_LEVEL_DB:g} to 0 dB re full scale"
        )
    return level_db


def _domains(reader: StrictReader, schema: int) -> dict[str, Threshold]:
    found: dict[str, Threshold] = {
        domain: Threshold.parse(reader.child(domain), schema, of_domain=True)
        for domain in DOMAINS
        if domain in reader.keys
    }
    reader.finish()
    return found
