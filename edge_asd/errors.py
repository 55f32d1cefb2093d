"""Every error this project raises on purpose.

::

    EdgeAsdError
    ├── DataError             a data set, clip or file name that cannot be used
    │   ├── AudioFormatError  a sound file or stream that cannot be used
    │   └── DownloadError     a server that cannot be reached, or does not give what it should
    ├── BundleError           a bundle that is damaged, foreign or too new
    ├── ModelError            a model or run folder that does not fit
    ├── ConfigError           a configuration file, or what overrides it, that cannot be used
    ├── AudioDeviceError      no microphone, no PortAudio, or a stream that stopped
    │   └── UnavailableDeviceError  a microphone that is not there, or refuses: it may come later
    │       └── NoSuchDeviceError   none is what was asked for; or its name is wrong
    ├── DependencyError       a package that is missing, or hidden by another file
    ├── OutputError           a place that cannot be written
    └── SweepError            parts of a sweep that failed
        └── ClusterError      a Dask cluster that cannot be reached, or lacks what the parts need

A message is one paragraph for a person: what is wrong, where, what to do next.
The command line prints it without a traceback and exits with 1.
"""

from __future__ import annotations

__all__ = [
    "AudioDeviceError",
    "AudioFormatError",
    "BundleError",
    "ClusterError",
    "ConfigError",
    "DataError",
    "DependencyError",
    "DownloadError",
    "EdgeAsdError",
    "ModelError",
    "NoSuchDeviceError",
    "OutputError",
    "SweepError",
    "UnavailableDeviceError",
]


class EdgeAsdError(Exception):
    """Base of all errors meant for the user."""


class DataError(EdgeAsdError):
    """A data set, clip or file name that cannot be used."""


class AudioFormatError(DataError):
    """A sound file or stream that cannot be used."""


class DownloadError(DataError):
    """A server that cannot be reached, or does not give what it should."""


class BundleError(EdgeAsdError):
    """A bundle that is damaged, foreign or too new."""


class ModelError(EdgeAsdError):
    """A model or run folder that does not fit."""


class ConfigError(EdgeAsdError):
    """A configuration file, or what overrides it, that cannot be used."""


class AudioDeviceError(EdgeAsdError):
    """No microphone, no PortAudio, or a stream that stopped."""


class UnavailableDeviceError(AudioDeviceError):
    """A microphone that is not there, or refuses: it may come later."""


class NoSuchDeviceError(UnavailableDeviceError):
    """No microphone is what was asked for: it may come later, or its name is wrong."""


class DependencyError(EdgeAsdError):
    """A package that is missing, or hidden by another file."""


class OutputError(EdgeAsdError):
    """A place that cannot be written."""


class SweepError(EdgeAsdError):
    """Parts of a sweep that failed."""


class ClusterError(SweepError):
    """A Dask cluster that cannot be reached, or lacks what the parts need."""


def in_words(error: Exception) -> str:
    """Tell a person what went wrong, whatever it is."""
    if isinstance(error, EdgeAsdError):
        return str(error)
    if isinstance(error, MemoryError):
        return "Not enough memory. Close other programs, or use fewer sections."
    if isinstance(error, OSError):
        place = f" ({error.filename})" if error.filename else ""
        return f"The operating system refused{place}: {error.strerror or error}."
    return f"Unexpected {type(error).__name__}: {error}. This is a defect of edge-asd; --debug shows where."
