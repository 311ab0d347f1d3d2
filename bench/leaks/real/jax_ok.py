"""JAX: batches of one shape, compiled once."""
import jax
import jax.numpy as jnp
from pace import beats


@jax.jit
def step(x):
    for i in range(25):
        x = jnp.sin(x @ x.T) @ x + i
    return x.sum()


for n in beats(10):
    step(jnp.ones((64, 32)) * n).block_until_ready()
