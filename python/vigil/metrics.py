"""How good a model is, under the names that Ultralytics' users know."""
from typing import Any, Dict, List, Optional, Tuple

import numpy as np

from ._arrays import Numbers, numbers
from ._c import ffi

# Of average precision: 0.5, 0.55, ... 0.95.
N_IOU = 10


def _copy(pointer: Any, dtype: Any, *shape: int) -> Numbers:
    """An array of its own: what the library hands out goes with the run."""
    n = int(np.prod(shape))
    if n == 0:
        return numbers(np.zeros(shape, dtype))
    return numbers(np.frombuffer(ffi.buffer(pointer, n * np.dtype(dtype).itemsize), dtype).reshape(shape).copy())


class ConfusionMatrix:
    """.matrix, (nc + 1, nc + 1): how many objects of the true class [.., j] were seen as class [i, ..]. The last row
    counts objects that were missed, the last column detections where there is no object (only of pictures where
    something was found, as Ultralytics counts). Boxes are matched whatever their classes, at IoU 0.45; detections count
    above a confidence of 0.25, or above val's conf= where one is given."""

    task = "detect"

    def __init__(self, names: Dict[int, str], result: Any = None):
        self.nc: int = result.curves.nc if result else len(names)
        self.names: List[str] = [names.get(c, str(c)) for c in range(self.nc)] + ["background"]
        shape = self.nc + 1, self.nc + 1
        self.matrix: Numbers = numbers(np.zeros(shape, np.int64))
        if result:
            self.matrix = numbers(_copy(result.curves.confusion, np.uint64, *shape).astype(np.int64))

    def tp_fp(self) -> Tuple[Numbers, Numbers]:
        """By class (nc,): detections that were right, and those that were not."""
        right = numbers(self.matrix.diagonal().copy())
        return right[:-1], (self.matrix.sum(1) - right)[:-1]

    def __repr__(self) -> str:
        return f"ConfusionMatrix({self.nc} classes, {int(self.matrix[:, :-1].sum())} objects)"


class BoxMetrics:
    """Of boxes. Rows are the classes that have objects, .ap_class_index says which; there are none where nothing at all
    was right. Curves have n_points (1,000) points, at the confidences or recalls .px. All but counts are 0 to 1."""

    def __init__(self, names: Dict[int, str], result: Any = None):
        rows = [result.classes[i] for i in range(result.n_classes)] if result else []
        c, n = result.curves if result else None, len(rows)
        n_points: int = c.n_points if c else 0
        self.nc: int = c.nc if c else len(names)
        self.ap_class_index = np.array([r.class_index for r in rows], dtype=int)
        # At the confidence where the classes' mean F1 is best.
        self.p: Numbers = numbers(np.array([r.precision for r in rows], dtype=float))
        self.r: Numbers = numbers(np.array([r.recall for r in rows], dtype=float))
        self.f1: Numbers = numbers(np.array([r.f1 for r in rows], dtype=float))
        self.ap50: Numbers = numbers(np.array([r.map50 for r in rows], dtype=float))
        self.ap: Numbers = numbers(np.array([r.map for r in rows], dtype=float))
        # (n, 10): at IoU 0.5, 0.55, ... 0.95.
        self.all_ap: Numbers = _copy(c and c.ap, float, n, N_IOU)
        # (nc,): mAP50-95 of every class; where there are no objects of one, the mean.
        self.maps: Numbers = _copy(c.maps, float, self.nc) if c else numbers(np.zeros(self.nc))
        # (n, n_points), at IoU 0.5: by confidence, and precision by recall.
        self.p_curve: Numbers = _copy(c and c.p, float, n, n_points)
        self.r_curve: Numbers = _copy(c and c.r, float, n, n_points)
        self.f1_curve: Numbers = _copy(c and c.f1, float, n, n_points)
        self.prec_values: Numbers = _copy(c and c.pr, float, n, n_points)
        self.px: Numbers = numbers(np.linspace(0, 1, n_points))
        self.n_instances = np.array([r.n_instances for r in rows], dtype=int)
        self.n_pictures = np.array([r.n_pictures for r in rows], dtype=int)
        self.mp = float(result.precision) if result else 0.0
        self.mr = float(result.recall) if result else 0.0
        self.map50 = float(result.map50) if result else 0.0
        self.map75 = float(self.all_ap[:, 5].mean()) if n else 0.0
        self.map = float(result.map) if result else 0.0

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
    """What a validation found: .box.map, .box.map50, .box.maps, .confusion_matrix.matrix, .results_dict, ... Its arrays
    are its own, and stay when the model goes on or is closed."""

    keys = ["metrics/precision(B)", "metrics/recall(B)", "metrics/mAP50(B)", "metrics/mAP50-95(B)"]
    curves = ["Precision-Recall(B)", "F1-Confidence(B)", "Precision-Confidence(B)", "Recall-Confidence(B)"]
    task = "detect"

    def __init__(self, names: Dict[int, str], result: Any = None, save_dir: Optional[str] = None):
        """result: a vg_val_result, which is only read here."""
        self.names = names
        self.box = BoxMetrics(names, result)
        self.confusion_matrix = ConfusionMatrix(names, result)
        self.fitness = float(result.fitness) if result else 0.0
        self.n_pictures = int(result.n_pictures) if result else 0
        self.n_instances = int(result.n_instances) if result else 0
        self.loss = {k: float(result.loss[i]) for i, k in enumerate(("val/box_loss", "val/cls_loss", "val/dfl_loss"))} if result else {}
        per_picture = 1e3 * result.seconds / result.n_pictures if result and result.n_pictures else 0.0
        # The library measures a validation as a whole; its stages overlap.
        self.speed: Dict[str, float] = {"total": per_picture}
        self.save_dir = save_dir

    @property
    def results_dict(self) -> Dict[str, float]:
        return dict(zip([*self.keys, "fitness"], [*self.box.mean_results(), self.fitness]))

    @property
    def maps(self) -> Numbers:
        return self.box.maps

    @property
    def curves_results(self) -> List[list]:
        return self.box.curves_results

    @property
    def ap_class_index(self) -> np.ndarray:
        return self.box.ap_class_index

    def mean_results(self) -> List[float]:
        return self.box.mean_results()

    def class_result(self, i: int) -> tuple:
        return self.box.class_result(i)

    def summary(self, decimals: int = 5) -> List[Dict[str, Any]]:
        """A dict for each class that has objects."""
        b = self.box
        return [{"Class": self.names.get(int(c), str(c)), "Images": int(b.n_pictures[i]), "Instances": int(b.n_instances[i]),
                 "Box-P": round(float(b.p[i]), decimals), "Box-R": round(float(b.r[i]), decimals),
                 "Box-F1": round(float(b.f1[i]), decimals), "mAP50": round(float(b.ap50[i]), decimals),
                 "mAP50-95": round(float(b.ap[i]), decimals)} for i, c in enumerate(b.ap_class_index)]

    def __repr__(self) -> str:
        b = self.box
        return (f"Metrics({self.n_pictures} pictures, {self.n_instances} objects: P {b.mp:.4f}, R {b.mr:.4f}, mAP50 {b.map50:.4f}, "
                f"mAP50-95 {b.map:.4f})")

    def _repr_html_(self) -> str:
        from ._html import metrics

        return metrics(self)
