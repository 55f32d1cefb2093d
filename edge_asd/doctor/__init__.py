"""What is in use on this computer, what is missing or wrong, and what to do about it.

`installation` looks at packages, `microphones` at sound devices in a process of its own, `computer` at the rest.
"""
