"""The packages that ``make dist`` makes: what they hold, and where they run."""
