"""OpenCV: a video is opened anew whenever it ends, and the old capture is released."""
import cv2
import numpy as np
from pace import beats

cv2.setNumThreads(1)
writer = cv2.VideoWriter("v.avi", cv2.VideoWriter_fourcc(*"MJPG"), 25, (320, 240))
for i in range(50):
    writer.write(np.full((240, 320, 3), i * 5, np.uint8))
writer.release()
for _ in beats(3):
    capture = cv2.VideoCapture("v.avi")
    while capture.read()[0]:
        pass
    capture.release()
