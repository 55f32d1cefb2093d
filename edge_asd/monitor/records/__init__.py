"""What a monitor keeps on disk: events, scores by the minute, the sound of alarms; and how it is bounded and read."""
