"""The enumerations of the command line are what the packages offer, and its defaults are theirs."""

from __future__ import annotations

import inspect
from enum import StrEnum
from typing import get_args

import pytest

from edge_asd.bundle.policy import INTERVAL_S
from edge_asd.cli import choices, monitor
from edge_asd.cli.common import FIRST_YEAR, LAST_YEAR
from edge_asd.cli.quantize import command
from edge_asd.monitor.alarms import Policy


def offered() -> dict[type[StrEnum], list[str]]:
    from edge_asd.bundle.kinds import KINDS
    from edge_asd.clips import DOMAINS, Label
    from edge_asd.firmware_export.exporting import FORMATS, VERIFICATIONS
    from edge_asd.firmware_export.layout import TARGETS
    from edge_asd.firmware_export.library import ROUNDINGS
    from edge_asd.interpreter import ARITHMETICS
    from edge_asd.quantize.int8.convert import CONVERTERS
    from edge_asd.quantize.int8.methods import METHODS
    from edge_asd.quantize.threshold_fitting import METHODS as THRESHOLDS
    from edge_asd.train.data.splits import SPLITS
    from edge_asd.train.networks.baselines import BASELINES
    from edge_asd.train.synthesis.presets import PRESETS

    assert list(BASELINES) == [name for name, kind in KINDS.items() if kind.network]
    return {
        choices.DomainName: list(DOMAINS),
        choices.LabelName: list(get_args(Label)),
        choices.ModelName: list(KINDS),
        choices.Models: ["both", *KINDS, "all"],
        choices.SplitName: list(SPLITS),
        choices.FrameLength: ["512", "1024", "2048"],
        choices.QuantisationMethod: list(METHODS),
        choices.ConverterName: list(CONVERTERS),
        choices.ThresholdMethod: [method for method in THRESHOLDS if method != "false-positive-rate"],
        choices.Arithmetic: list(ARITHMETICS),
        choices.ExportTarget: list(TARGETS),
        choices.ExportFormat: list(FORMATS),
        choices.ExportRounding: list(ROUNDINGS),
        choices.Proof: list(VERIFICATIONS),
        choices.PresetName: list(PRESETS),
    }


def test_every_enumeration_is_what_a_package_offers() -> None:
    there = {value for value in vars(choices).values() if inspect.isclass(value) and issubclass(value, StrEnum)}
    assert set(offered()) == there - {StrEnum}
    for enumeration, values in offered().items():
        assert [member.value for member in enumeration] == values, enumeration


def test_years_are_those_whose_measures_are_known() -> None:
    from edge_asd.train.figures.measures import YEARS

    assert list(range(FIRST_YEAR, LAST_YEAR + 1)) == list(YEARS)


@pytest.mark.parametrize("length", choices.FrameLength)
def test_frame_lengths_are_the_front_ends(length: str) -> None:
    from edge_asd.frontend.spec import FeatureSpec

    assert FeatureSpec(n_fft=int(length)).n_fft == int(length)


def test_the_defaults_of_quantize_are_the_packages() -> None:
    from edge_asd.quantize.int8.methods import DEFAULT
    from edge_asd.quantize.int8.representative import HEADROOM_DB

    defaults = inspect.signature(command).parameters
    assert defaults["quantisation"].default == DEFAULT
    assert defaults["headroom"].default == HEADROOM_DB


def test_the_monitors_defaults_are_the_policys() -> None:
    parameters = inspect.signature(monitor.command, eval_str=True).parameters
    assert f"[default: {INTERVAL_S:g}]" in str(parameters["interval"].annotation.__metadata__[0].help)
    assert f"[default: {Policy().cooldown_s:g}]" in str(parameters["cooldown"].annotation.__metadata__[0].help)
    assert f"{Policy().needed}/{Policy().of}" in str(parameters["alarm_after"].annotation.__metadata__[0].help)
