"""Training: data sets, Keras models, fitting, metrics and reports.

Needs the extra ``edge-asd[train]``; nothing here runs on the device.
"""

import os

# Read when TensorFlow is first imported, whoever imports it: fewer messages, and sums that do not
# depend on which kernels oneDNN picks for this processor.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")
# Sums that do not depend on how many cores there are: over several threads, they are added up in another order. Whoever
# trains one large network on many cores may set another number, and gets another network by its last bits.
os.environ.setdefault("TF_NUM_INTRAOP_THREADS", "1")
