"""JAX: batches of ever new lengths, so a function is compiled anew for each, and all are kept."""
import jax
import jax.numpy as jnp
from pace import beats


@jax.jit
def step(x):
    for i in range(25):
        x = jnp.sin(x @ x.T) @ x + i
    return x.sum()


for n in beats(4):
    step(jnp.ones((3 + n, 5))).block_until_ready()
