"""A model of one dense layer, run in each arithmetic; a program of its own, as kernels may abort where they do not fit.

    python -m edge_asd.doctor.tiny_model

It prints one JSON object a line, `arithmetic` and `why_not` (null where it works), as soon as it knows. TensorFlow 2.21
made the model: four int8 inputs, four outputs.
"""

from __future__ import annotations

import base64
import json
import zlib

import numpy as np

from edge_asd.errors import EdgeAsdError
from edge_asd.interpreter import ARITHMETICS, Model

_MODEL = """
eNqNVE9rE0EUf5usbVJDWjBoMFFz7KHEpvZQJaAxVikkbUlD8bZd2Kkubja6f3oS0n4B8eBBwaNfoEcPehA/Qk/ioYigoIifoON7s283a0R0dn87M2/f
n9+8NzNVAOjf7lwpQQ2qUIYSzEEBZTnQcQwoA3iO+Ik41rBHfNUBsjjHIWpTm1FWZDODswLbNRGzCF94e7Z7z7DErhk6gbJDF/BUSpnlcQ4xDIOHYWAs
Avsm+dsTKXX2+UB4pm8EwvWHHulkEMus9xF9TfH4DKK9sb692tta21g3uqv91q1Wv4UxIo4U61RKd2C7hhe6gT0Qxp7wfHvowjTKvyM+I94jXiKeIQK2
25YRrx3mloNi4ptyMq/yMqVkMS9a07cs6cd51pXt1cMPb36IJzsZXpOuLAGW6kuNOmbjHcciv416Y7muMhS1Ffz3KfV/RO9IdaPRwejGJAfSeX0J4M6x
lGTvXwd4jPb7CKpVt7PWq7WHLuYhEFZdcS6pSMWENfkrspzqbCHuIxyOMTBtN65hbFtSsQtwOmVLaZvjsa6eyCbLiGuspeQay0n3CCcLiH2e907UmrQy
fmq8//RIPb/JviTnqom6ca3I5xcZNRq/sA6bFey3AjMQu6GzaXqBHeCuEFbbdByjcW0x4UW+XBnFpXXcHXPPUz5ecZyFMZd/NtLTM1ozjYo6R49CgdvU
RAqXLTwGAvuuGXRDJ9k3UYyz6iyf42pFbRqlqimefc4HdcSzIyOe8//Jk3SKFw5W0qj+jeNN2/RblpU+18SRbpxKcuPQGRpzLHPOOuOa562JGhYSO53P
YLSXtAmuND86D82Lf95FRvpOwbL+Vtf4fivgdzYVJ5/aV78AAALAyA==
"""

_INPUTS = np.arange(-60, 68, 8, dtype=np.int8).reshape(4, 4)
_OUTPUTS = np.array([[-37, -80, -54, -4], [-13, -57, -31, 13], [10, -34, -8, 31], [33, -11, 15, 48]])


def model() -> bytes:
    """Return the .tflite file."""
    return zlib.decompress(base64.b64decode(_MODEL))


def why_not(arithmetic: str) -> str | None:
    """Say why an arithmetic does not work here; None where it does."""
    try:
        outputs = Model(model(), arithmetic=arithmetic).run(_INPUTS)
    except EdgeAsdError as error:
        return str(error)
    wrong = int(np.abs(outputs.astype(np.int64) - _OUTPUTS).max())
    # Arithmetics may round differently by one.
    return None if wrong <= 1 else f"its results are wrong by up to {wrong}"


if __name__ == "__main__":
    for name in ARITHMETICS:
        print(json.dumps({"arithmetic": name, "why_not": why_not(name)}), flush=True)
