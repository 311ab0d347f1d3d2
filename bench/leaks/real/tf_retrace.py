"""TensorFlow: a tf.function is called with a Python number: traced anew for each, and all graphs are kept."""
import os

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import tensorflow as tf
from pace import beats


@tf.function
def step(x, n):
    for i in range(120):
        x = tf.sin(x) * n + i
    return tf.reduce_sum(x)


for n in beats(3):
    step(tf.ones((20, 20)), n)
