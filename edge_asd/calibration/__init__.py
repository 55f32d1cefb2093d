"""Thresholds on site, without training: healthy sound from files or a microphone, and what is learnt.

`recordings` and `live` hear, `stability` and `off_level` judge, `fitting` makes the bundle with the new threshold.
"""
