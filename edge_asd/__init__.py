"""Anomalous sound detection on small computers: what runs on the device.

The front end (`frontend`), the detectors' scores (`detectors`), the bundle that
stages hand on (`bundle`), sound input (`audio`) and the monitor (`monitor`).
"""

__version__ = "0.1.0"
