"""R8: a callback that keeps every scalar: each step's losses and rates in a list of dicts."""

from job import Job

job = Job(__doc__).begin()
history = []


def on_train_batch_end(step, loss):
    # Forty figures with a name each, as loggers keep them.
    history.append({"%s/%d" % ("metric", i): loss * i + step for i in range(40)})


for step in job.ticks(2):
    for _ in range(max(1, round(3 * job.rate))):
        on_train_batch_end(step, 1.0 / step)
