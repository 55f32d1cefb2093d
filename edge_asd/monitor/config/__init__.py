"""The configuration of a monitor: what it may hold, how it is read, described and read again."""
