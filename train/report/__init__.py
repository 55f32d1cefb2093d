"""The report of ``edge-asd reproduce``: finished results in, one HTML file and ``result.csv`` out.

`results` is what goes in, `pictures` draws what it shows of a machine, `writing.write_report` writes it, `describe`
says what data it was.
"""
