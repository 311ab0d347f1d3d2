"""What the notebooks share: drawn shelves, and a small model that was trained on them here, once: a minute on two cores.

It knows bottles, cans, cartons, jars and boxes, and it is no good one: it is there so that there is something to look at
without a download. With weights of your own (yolo11n.pt, best.safetensors) none of this is needed."""
import os

from vigil import YOLO, datasets

FOLDER = os.path.join("runs", "shelves")
# Small pictures for the network and a short run: what a minute gives.
RECIPE = dict(imgsz=128, epochs=10, batch=4, nbs=4, optimizer="AdamW", lr0=0.002, momentum=0.9, warmup_epochs=1, warmup_bias_lr=0,
              mosaic=0, scale=0.3, cache="ram", seed=0)


def dataset():
    """The YAML of the drawn dataset: 160 pictures to train on, 32 to validate."""
    if not os.path.isfile(os.path.join(FOLDER, "dataset", "dataset.yaml")):
        datasets.draw(project="runs", name="shelves", n_train=160, n_val=32, n_unseen=8)
    return os.path.join(FOLDER, "dataset", "dataset.yaml")


def unseen():
    """Pictures that no training sees."""
    dataset()
    return list(datasets.pictures(os.path.join(FOLDER, "dataset", "images", "unseen")))


def weights():
    best = os.path.join(FOLDER, "train", "weights", "best.safetensors")
    if not os.path.isfile(best):
        print("training the notebooks' small model, once ...", flush=True)
        YOLO("yolo11n.yaml").train(data=dataset(), project=FOLDER, name="train", exist_ok=True, plots=False, live=False, **RECIPE)
    return best
