"""OpenCV: a reader puts frames into a queue without a bound; the consumer is slower than the camera."""
import queue
import threading
import time

import cv2
import numpy as np
from pace import beats

frames = queue.Queue()


def consume():
    while True:
        cv2.GaussianBlur(frames.get(), (5, 5), 0)
        time.sleep(0.2)


cv2.setNumThreads(1)
threading.Thread(target=consume, daemon=True).start()
for n in beats(15):
    frames.put(np.full((480, 640, 3), n % 255, np.uint8))
