"""A terminal that understands just what the view may send, and refuses everything else."""

from __future__ import annotations

import re

from rich.cells import cell_len

_CODE = re.compile(r"\x1b\[(\?[0-9]+|[0-9;]*)([A-Za-z])")


class Screen:
    """Keeps what stands where.

    Attributes
    ----------
    other : bool
        The alternate screen is shown.
    cursor_shown : bool
    coloured : bool
        A colour or another style was asked for so far.
    main : str
        All that was written on the main screen.
    """

    def __init__(self, columns: int, rows: int) -> None:
        self.other, self.cursor_shown, self.coloured, self.main = False, True, False, ""
        self.resize(columns, rows)

    def resize(self, columns: int, rows: int) -> None:
        """Change the size; what stood there goes."""
        self.columns, self.rows, self.x, self.y = columns, rows, 0, 0
        self._cells = [[" "] * columns for _ in range(rows)]

    @property
    def text(self) -> str:
        """What the alternate screen shows, a line a row."""
        return "".join("".join(row).rstrip() + "\n" for row in self._cells).rstrip("\n") + "\n"

    def feed(self, text: str) -> None:
        """Take what was written."""
        while text:
            if match := _CODE.match(text):
                self._obey(match[1], match[2])
                text = text[match.end() :]
            else:
                self._put(text[0])
                text = text[1:]

    def _obey(self, arguments: str, command: str) -> None:
        match command, arguments:
            case "m", _:
                self.coloured = True
            case "H", "":
                self.x = self.y = 0
            case "H", _:
                self.y, self.x = (int(number) - 1 for number in arguments.split(";"))
            case "K", "2":
                self._cells[self.y] = [" "] * self.columns
            case "J", "2":
                self._cells = [[" "] * self.columns for _ in range(self.rows)]
            case "h" | "l", "?1049":
                self.other = command == "h"
            case "h" | "l", "?25":
                self.cursor_shown = command == "h"
            case _:
                raise AssertionError(f"unexpected: {command} {arguments}")

    def _put(self, character: str) -> None:
        if not self.other:
            self.main += character
            return
        assert character.isprintable(), repr(character)
        cells = cell_len(character)
        assert self.x + cells <= self.columns, f"row {self.y} is too long"
        self._cells[self.y][self.x : self.x + cells] = [character] + [""] * (cells - 1)
        self.x += cells
