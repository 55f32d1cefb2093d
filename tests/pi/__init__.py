"""A Raspberry Pi without hardware: an emulated aarch64 Debian, built once, in which the core package is proven.

``python -m tests.pi.build`` builds it, `make prove-pi` builds it and runs the proof.
"""
