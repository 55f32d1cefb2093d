"""Training: data sets, Keras models, fitting, metrics and reports.

Needs the extra ``edge-asd[train]``; nothing here runs on the device.
"""

import os

# Read when TensorFlow is first imported, whoever imports it: fewer messages, and sums that do not
# depend on which kernels oneDNN picks for this processor.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")
