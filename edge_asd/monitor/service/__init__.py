"""The monitor under systemd or in a container: its unit, its signs of life, its signals."""
