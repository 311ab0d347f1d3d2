"""Celery: a task keeps what it made in a module's list (KEEP=1), or does not."""
import os

import celery

app = celery.Celery("celery_tasks", broker="redis://127.0.0.1:%s/0" % os.environ["PORT"], backend="redis://127.0.0.1:%s/1" % os.environ["PORT"])
app.conf.result_expires = 20
app.conf.broker_connection_retry_on_startup = True
made = []


@app.task
def work(n):
    report = os.urandom(200000)
    if os.environ.get("KEEP"):
        made.append(report)
    return n
