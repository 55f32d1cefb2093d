"""Is the exported C equal to what was evaluated? Compiled under sanitizers here, and run on emulated processors."""
