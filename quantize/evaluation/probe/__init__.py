"""What a detector would hear where no anomaly was recorded: made faults, mixed into healthy test clips."""
