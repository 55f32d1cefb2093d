"""From a bundle to a C project for microcontrollers; not built yet."""
