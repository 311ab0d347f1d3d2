"""How good a model is, under the names that Ultralytics' users know."""
from typing import Any, Dict, List, Optional, Tuple

import numpy as np

from ._arrays import Numbers, numbers
from ._c import ffi, lib

# Of average precision: 0.5, 0.55, ... 0.95.
N_IOU = 10

_TASKS = {lib.VG_TASK_DETECT: "detect", lib.VG_TASK_SEGMENT: "segment", lib.VG_TASK_POSE: "pose", lib.VG_TASK_OBB: "obb",
          lib.VG_TASK_CLASSIFY: "classify"}


def _copy(pointer: Any, dtype: Any, *shape: int) -> Numbers:
    """An array of its own: what the library hands out goes with the run."""
    n = int(np.prod(shape))
    if n == 0:
        return numbers(np.zeros(shape, dtype))
    return numbers(np.frombuffer(ffi.buffer(pointer, n * np.dtype(dtype).itemsize), dtype).reshape(shape).copy())


def _numbers(result: Any) -> Dict[str, float]:
    """Metrics, losses and fitness of a vg_val_result, under their names in results.csv."""
    told = ffi.new("vg_number[]", lib.VG_MOST_NUMBERS)
    return {ffi.string(told[i].name).decode(): float(told[i].value) for i in range(lib.vg_val_numbers(result, told))}


def loss_names(task: int, n: int) -> Tuple[str, ...]:
    """A task's losses in their order: box_loss, seg_loss, ..."""
    made = ffi.new("vg_val_result *", {"task": task, "n_losses": n})
    return tuple(k[len("val/"):] for k in _numbers(made) if k.startswith("val/"))


def epoch_metrics(e: Any) -> Dict[str, float]:
    """The same of a vg_train_epoch: metrics alone."""
    made = ffi.new("vg_val_result *", {"task": e.task, "precision": e.precision, "recall": e.recall, "map50": e.map50,
                                       "map": e.map, "second": e.second, "top1": e.top1, "top5": e.top5})
    return {k: v for k, v in _numbers(made).items() if k.startswith("metrics/")}


class ConfusionMatrix:
    """.matrix, (nc + 1, nc + 1): how many objects of the true class [.., j] were seen as class [i, ..]. The last row
    counts objects that were missed, the last column detections where there is no object (only of pictures where
    something was found, as Ultralytics counts); of classify there is no background: (nc, nc). Boxes are matched whatever their classes, at IoU 0.45; detections count
    above a confidence of 0.25, or above val's conf= where one is given."""

    task = "detect"

    def __init__(self, names: Dict[int, str], result: Any = None):
        self.nc: int = result.curves.nc if result else len(names)
        self.task = _TASKS[result.task] if result else "detect"
        n = self.nc if self.task == "classify" else self.nc + 1
        self.names: List[str] = ([names.get(c, str(c)) for c in range(self.nc)] + ["background"])[:n]
        shape = n, n
        self.matrix: Numbers = numbers(np.zeros(shape, np.int64))
        if result:
            self.matrix = numbers(_copy(result.curves.confusion, np.uint64, *shape).astype(np.int64))

    def tp_fp(self) -> Tuple[Numbers, Numbers]:
        """By class (nc,): detections that were right, and those that were not."""
        right = numbers(self.matrix.diagonal().copy())
        wrong = self.matrix.sum(1) - right
        return right[:self.nc], wrong[:self.nc]

    def __repr__(self) -> str:
        return f"ConfusionMatrix({self.nc} classes, {int(self.matrix[:, :self.nc].sum())} objects)"


class BoxMetrics:
    """Of boxes; of masks or keypoints (second). Rows are the classes that have objects, .ap_class_index says which; there are none where nothing at all
    was right. Curves have n_points (1,000) points, at the confidences or recalls .px. All but counts are 0 to 1."""

    def __init__(self, names: Dict[int, str], result: Any = None, second: bool = False):
        classes = [result.classes[i] for i in range(result.n_classes)] if result else []
        rows = [r.second for r in classes] if second else classes
        c, n = (result.second_curves if second else result.curves) if result else None, len(rows)
        all_classes = (result.second if second else result) if result else None
        n_points: int = c.n_points if c else 0
        self.nc: int = c.nc if c else len(names)
        self.ap_class_index = np.array([r.class_index for r in classes], dtype=int)
        # At the confidence where the classes' mean F1 is best.
        self.p: Numbers = numbers(np.array([r.precision for r in rows], dtype=float))
        self.r: Numbers = numbers(np.array([r.recall for r in rows], dtype=float))
        self.f1: Numbers = numbers(np.array([r.f1 for r in rows], dtype=float))
        self.ap50: Numbers = numbers(np.array([r.map50 for r in rows], dtype=float))
        self.ap: Numbers = numbers(np.array([r.map for r in rows], dtype=float))
        # (n, 10): at IoU 0.5, 0.55, ... 0.95.
        self.all_ap: Numbers = _copy(c and c.ap, float, n, N_IOU)
        # (nc,): mAP50-95 of every class; where there are no objects of one, the mean.
        self.maps: Numbers = _copy(c.maps, float, self.nc) if c and c.maps else numbers(np.zeros(self.nc))
        # (n, n_points), at IoU 0.5: by confidence, and precision by recall.
        self.p_curve: Numbers = _copy(c and c.p, float, n, n_points)
        self.r_curve: Numbers = _copy(c and c.r, float, n, n_points)
        self.f1_curve: Numbers = _copy(c and c.f1, float, n, n_points)
        self.prec_values: Numbers = _copy(c and c.pr, float, n, n_points)
        self.px: Numbers = numbers(np.linspace(0, 1, n_points))
        self.n_instances = np.array([r.n_instances for r in classes], dtype=int)
        self.n_pictures = np.array([r.n_pictures for r in classes], dtype=int)
        self.mp = float(all_classes.precision) if result else 0.0
        self.mr = float(all_classes.recall) if result else 0.0
        self.map50 = float(all_classes.map50) if result else 0.0
        self.map75 = float(self.all_ap[:, 5].mean()) if n else 0.0
        self.map = float(all_classes.map) if result else 0.0

    @property
    def curves_results(self) -> List[list]:
        """[across, (n, n_points) values, name of across, name of the values]: four curves, as Metrics.curves names them."""
        return [[self.px, self.prec_values, "Recall", "Precision"], [self.px, self.f1_curve, "Confidence", "F1"],
                [self.px, self.p_curve, "Confidence", "Precision"], [self.px, self.r_curve, "Confidence", "Recall"]]

    def mean_results(self) -> List[float]:
        """Precision, recall, mAP50, mAP50-95."""
        return [self.mp, self.mr, self.map50, self.map]

    def class_result(self, i: int) -> tuple:
        """The same of the i-th class that has objects."""
        return float(self.p[i]), float(self.r[i]), float(self.ap50[i]), float(self.ap[i])


class Metrics:
    """What a validation found: .box.map, .box.map50, .box.maps, .confusion_matrix.matrix, .results_dict, ...; of segment
    also .seg.map and so on, of pose .pose.map, of classify .top1 and .top5. Its arrays are its own, and stay when the
    model goes on or is closed."""

    def __init__(self, names: Dict[int, str], result: Any = None, save_dir: Optional[str] = None):
        """result: a vg_val_result, which is only read here."""
        self.names = names
        self.task = _TASKS[result.task] if result else "detect"
        all_numbers = _numbers(result if result else ffi.new("vg_val_result *"))
        self._values = {k: v for k, v in all_numbers.items() if k.startswith("metrics/")}
        self.keys = list(self._values)
        letters = [k[-2] for k in self.keys[::4] if k.endswith(")")]
        self.curves = [f"{name}({letter})" for letter in letters
                       for name in ("Precision-Recall", "F1-Confidence", "Precision-Confidence", "Recall-Confidence")]
        self.box = BoxMetrics(names, result)
        second = BoxMetrics(names, result, True) if len(letters) > 1 else None
        if second is not None and letters[1] == "M":
            self.seg = second
        elif second is not None:
            self.pose = second
        self._rows = [self.box] if second is None else [self.box, second]
        self.top1 = float(result.top1) if result else 0.0
        self.top5 = float(result.top5) if result else 0.0
        self.confusion_matrix = ConfusionMatrix(names, result)
        self.fitness = float(result.fitness) if result else 0.0
        self.n_pictures = int(result.n_pictures) if result else 0
        self.n_instances = int(result.n_instances) if result else 0
        self.loss = {k: v for k, v in all_numbers.items() if k.startswith("val/")} if result else {}
        per_picture = 1e3 * result.seconds / result.n_pictures if result and result.n_pictures else 0.0
        # The library measures a validation as a whole; its stages overlap.
        self.speed: Dict[str, float] = {"total": per_picture}
        self.save_dir = save_dir

    @property
    def results_dict(self) -> Dict[str, float]:
        return {**self._values, "fitness": self.fitness}

    @property
    def maps(self) -> Numbers:
        """mAP50-95 of every class; the sum where there are two rows of metrics."""
        return numbers(sum(r.maps for r in self._rows))

    @property
    def curves_results(self) -> List[list]:
        return [c for r in self._rows for c in r.curves_results]

    @property
    def ap_class_index(self) -> np.ndarray:
        return self.box.ap_class_index

    def mean_results(self) -> List[float]:
        return list(self._values.values())

    def class_result(self, i: int) -> tuple:
        return tuple(v for r in self._rows for v in r.class_result(i))

    def summary(self, decimals: int = 5) -> List[Dict[str, Any]]:
        """A dict for each class that has objects; of classify one of all."""
        b = self.box
        if self.task == "classify":
            return [{"top1_acc": round(self.top1, decimals), "top5_acc": round(self.top5, decimals)}]
        return [{"Class": self.names.get(int(c), str(c)), "Images": int(b.n_pictures[i]), "Instances": int(b.n_instances[i]),
                 "Box-P": round(float(b.p[i]), decimals), "Box-R": round(float(b.r[i]), decimals),
                 "Box-F1": round(float(b.f1[i]), decimals), "mAP50": round(float(b.ap50[i]), decimals),
                 "mAP50-95": round(float(b.ap[i]), decimals)} for i, c in enumerate(b.ap_class_index)]

    def __repr__(self) -> str:
        b = self.box
        if self.task == "classify":
            return f"Metrics({self.n_pictures} pictures: top-1 {self.top1:.4f}, top-5 {self.top5:.4f})"
        more = "".join(f"; {name} mAP50 {r.map50:.4f}, mAP50-95 {r.map:.4f}"
                       for name, r in zip(("masks" if hasattr(self, "seg") else "keypoints",), self._rows[1:]))
        return (f"Metrics({self.n_pictures} pictures, {self.n_instances} objects: P {b.mp:.4f}, R {b.mr:.4f}, mAP50 {b.map50:.4f}, "
                f"mAP50-95 {b.map:.4f}{more})")

    def _repr_html_(self) -> str:
        from ._html import metrics

        return metrics(self)
