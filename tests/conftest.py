"""Fixtures for all tests."""

from pulse import fragile_microphone, pulse_microphone

__all__ = ["fragile_microphone", "pulse_microphone"]
