"""Software that turns Keras models into .tflite files, and these into int8 ones: TensorFlow's own, and LiteRT's."""
