"""Telling people: messages, a queue on disk, a child process that delivers them, and the user's own command.

`message`, `wording`, `settings` say what is told and to whom; `dispatcher` is the monitor's side, `delivery` the child.
"""
