"""Training: data sets, Keras models, fitting, metrics and reports.

Needs the extra ``edge-asd[train]``; nothing here runs on the device.
"""
