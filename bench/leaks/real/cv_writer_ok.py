"""A camera's recorder: a new file each 50 frames, the last one released, and five kept."""
import os

import cv2
import numpy as np
from pace import beats

writer = None
for n in beats(20):
    if n % 50 == 1:
        if writer is not None:
            writer.release()
        writer = cv2.VideoWriter("part%d.avi" % (n // 50), cv2.VideoWriter_fourcc(*"MJPG"), 20, (640, 360))
        old = "part%d.avi" % (n // 50 - 5)
        if os.path.exists(old):
            os.remove(old)
    writer.write(np.random.randint(0, 255, (360, 640, 3), np.uint8))
