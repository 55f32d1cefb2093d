"""What options of the command line can be chosen from; a test holds each list against what the packages offer."""

from __future__ import annotations

from enum import StrEnum

from edge_asd.bundle.kinds import AUTOENCODER, DISTANCE, SECTION_CLASSIFIER


class DomainName(StrEnum):
    """The two operating conditions (`edge_asd.clips.DOMAINS`)."""

    source = "source"
    target = "target"


class LabelName(StrEnum):
    """What a clip is of (`edge_asd.clips.Label`)."""

    normal = "normal"
    anomaly = "anomaly"


class ModelName(StrEnum):
    """Models that can be trained (`edge_asd.bundle.kinds`)."""

    ae = AUTOENCODER.name
    mobilenetv2 = SECTION_CLASSIFIER.name
    distance = DISTANCE.name


class Models(StrEnum):
    """What is reproduced: both baselines, one of `ModelName`, or all of them."""

    both = "both"
    ae = AUTOENCODER.name
    mobilenetv2 = SECTION_CLASSIFIER.name
    distance = DISTANCE.name
    all = "all"


class SplitName(StrEnum):
    """Ways to hold clips back from fitting (`edge_asd.train.data.splits.SPLITS`)."""

    default = "default"
    faithful = "faithful"


class FrameLength(StrEnum):
    """Lengths of a frame that the front end has (`edge_asd.frontend.spec.FeatureSpec`)."""

    short = "512"
    published = "1024"
    long = "2048"


class QuantisationMethod(StrEnum):
    """Ways to int8 (`edge_asd.quantize.int8.methods.METHODS`)."""

    plain = "plain"
    percentile = "percentile"
    mse = "mse"
    equalised = "equalised"
    compensated = "compensated"
    finetuned = "finetuned"


class ConverterName(StrEnum):
    """Software that makes .tflite files (`edge_asd.quantize.int8.convert.CONVERTERS`)."""

    tensorflow = "tensorflow"
    litert = "litert"


class ThresholdMethod(StrEnum):
    """Ways to fit a threshold (`edge_asd.quantize.threshold_fitting.METHODS`) but the one that has its own option."""

    quantile = "quantile"
    gamma = "gamma"


class Arithmetic(StrEnum):
    """Kernels that run the model (`edge_asd.interpreter.ARITHMETICS`)."""

    litert_ref = "litert-ref"
    xnnpack = "xnnpack"
    litert_builtin = "litert-builtin"


class ExportTarget(StrEnum):
    """Ecosystems that firmware is exported for (`edge_asd.firmware_export.layout.TARGETS`)."""

    cmake = "cmake"
    arduino = "arduino"
    platformio = "platformio"
    zephyr = "zephyr"


class ExportFormat(StrEnum):
    """C of our own, or the model for another runtime on the microcontroller."""

    c = "c"
    tflm = "tflm"


class ExportRounding(StrEnum):
    """Whose rounding the exported C has (`edge_asd.firmware_export.library.ROUNDINGS`)."""

    litert = "litert"
    tflm = "tflm"


class Proof(StrEnum):
    """Where exported C is proven (`edge_asd.firmware_export.exporting.VERIFICATIONS`)."""

    host = "host"
    qemu = "qemu"


class PresetName(StrEnum):
    """Sizes of a synthetic data set (`edge_asd.train.synthesis.presets.PRESETS`)."""

    tiny = "tiny"
    small = "small"
    full = "full"
