"""Windows of a log-mel spectrogram to integer anomaly scores, one module a detector."""
