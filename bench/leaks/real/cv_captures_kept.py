"""OpenCV: a video is opened anew whenever it ends, and the old captures stay in a list."""
import cv2
import numpy as np
from pace import beats

cv2.setNumThreads(1)
writer = cv2.VideoWriter("v.avi", cv2.VideoWriter_fourcc(*"MJPG"), 25, (320, 240))
for i in range(50):
    writer.write(np.full((240, 320, 3), i * 5, np.uint8))
writer.release()
captures = []
for _ in beats(3):
    capture = cv2.VideoCapture("v.avi")
    captures.append(capture)
    while capture.read()[0]:
        pass
