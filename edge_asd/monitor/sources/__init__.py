"""Where the monitor's sound comes from: microphones, files, folders, raw bytes, other programs. All are a `Source`."""
