"""Words in letters five dots high, to be read from across the room."""

from __future__ import annotations

from edge_asd.monitor.sinks.cells import UNICODE, Glyphs

_DOTS = 5

_LETTERS = {
    "A": ".##. #..# #### #..# #..#",
    "C": ".### #... #... #... .###",
    "D": "###. #..# #..# #..# ###.",
    "E": "#### #... ###. #... ####",
    "F": "#### #... ###. #... #...",
    "G": ".### #... #.## #..# .###",
    "H": "#..# #..# #### #..# #..#",
    "I": "# # # # #",
    "L": "#... #... #... #... ####",
    "M": "#...# ##.## #.#.# #...# #...#",
    "N": "#...# ##..# #.#.# #..## #...#",
    "O": ".##. #..# #..# #..# .##.",
    "P": "###. #..# ###. #... #...",
    "R": "###. #..# ###. #.#. #..#",
    "S": ".### #... .##. ...# ###.",
    "T": "##### ..#.. ..#.. ..#.. ..#..",
    "U": "#..# #..# #..# #..# .##.",
    "V": "#...# #...# .#.#. .#.#. ..#..",
    "Y": "#...# .#.#. ..#.. ..#.. ..#..",
    " ": ". . . . .",
}

_HALVES = {("#", "#"): "█", ("#", "."): "▀", (".", "#"): "▄", (".", "."): " "}


def big(word: str, glyphs: Glyphs) -> list[str]:
    """Write a word of capital letters in big ones.

    Returns
    -------
    rows : list of str
        Of one length: three of half blocks, or five of ``#`` where the terminal has no blocks.
    """
    letters = [_LETTERS[letter].split() for letter in word]
    dots = [".".join(letter[row] for letter in letters) for row in range(_DOTS)]
    if glyphs is not UNICODE:
        return [row.replace(".", " ") for row in dots]
    dots.append("." * len(dots[0]))
    return [
        "".join(_HALVES[pair] for pair in zip(upper, lower, strict=True))
        for upper, lower in zip(dots[::2], dots[1::2], strict=True)
    ]
