"""Sound input: WAV files, raw streams and the microphone, all as mono int16 PCM."""
