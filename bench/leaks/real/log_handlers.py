"""logging: get_logger() adds a FileHandler each time it is asked for."""
import logging
import resource
from pace import beats

resource.setrlimit(resource.RLIMIT_NOFILE, (512, 512))
logger = logging.getLogger("job")
logger.setLevel(logging.INFO)
for n in beats(4.8):
    logger.addHandler(logging.FileHandler("job.log"))
    if n % 50 == 0:
        logger.info("%d done", n)
