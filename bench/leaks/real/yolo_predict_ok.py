"""Ultralytics: results are taken one by one from stream=True and dropped."""
import numpy as np
from pace import beats
from ultralytics import YOLO

model = YOLO("yolo11n.yaml")
n = 0
for _ in beats(2.5):
    picture = np.random.randint(0, 255, (720, 1280, 3), np.uint8)
    for result in model.predict(picture, imgsz=128, verbose=False, stream=True):
        n += len(result.boxes)
