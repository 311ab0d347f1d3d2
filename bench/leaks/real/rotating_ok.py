"""Logs by a RotatingFileHandler that turns each second or so."""
import logging
import logging.handlers

from pace import beats

log = logging.getLogger("service")
log.addHandler(logging.handlers.RotatingFileHandler("service.log", maxBytes=200000, backupCount=4))
for n in beats(100):
    log.warning("request %d: %s", n, "x" * 2000)
