"""The distance detector's arithmetic, all of it in integers: number 1, with NumPy as its text.

Frames to block sums, these to clip features, and features to a score: the distance from what a section sounds like.
"""
