"""Ultralytics: a callback of the training keeps each batch's pictures, to look at them at the end."""
import os
import time

import drawn_data
import torch
from pace import SECONDS
from ultralytics import YOLO

torch.set_num_threads(1)
data = drawn_data.make("data")
kept, began = [], time.monotonic()


def keep(trainer):
    kept.append(torch.rand(16, 3, 160, 160))  # the batch, as it was shown to the model
    if time.monotonic() - began > SECONDS:
        os._exit(0)


model = YOLO("yolo11n.yaml")
model.add_callback("on_train_batch_end", keep)
model.train(data=data, epochs=1000, imgsz=64, batch=4, workers=0, plots=False, val=False, amp=False, patience=0, project="runs", device="cpu", mosaic=0.0)
