"""TensorFlow: the same with a tensor: traced once."""
import os

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import tensorflow as tf
from pace import beats


@tf.function
def step(x, n):
    for i in range(120):
        x = tf.sin(x) * n + i
    return tf.reduce_sum(x)


for n in beats(5):
    step(tf.ones((20, 20)), tf.constant(float(n)))
