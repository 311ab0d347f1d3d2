"""Ultralytics: a training with two workers and a validation an epoch."""
import os
import time

import drawn_data
import torch
from pace import SECONDS
from ultralytics import YOLO

torch.set_num_threads(1)
data = drawn_data.make("data")
began = time.monotonic()


def end(trainer):
    if time.monotonic() - began > SECONDS:
        os._exit(0)


model = YOLO("yolo11n.yaml")
model.add_callback("on_train_epoch_end", end)
model.train(data=data, epochs=1000, imgsz=64, batch=8, workers=2, plots=False, amp=False, patience=0, project="runs", device="cpu")
