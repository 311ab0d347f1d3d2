"""How good a model is, under the names that Ultralytics' users know."""
from typing import Any, Dict, List, Optional

import numpy as np

from ._arrays import Numbers, numbers
from ._c import text


class BoxMetrics:
    """Of boxes, classes that have objects alone unless it is said. 0 to 1."""

    def __init__(self, names: Dict[int, str], result: Any = None):
        rows = [result.classes[i] for i in range(result.n_classes)] if result else []
        self.nc = len(names)
        self.ap_class_index = np.array([r.class_index for r in rows], dtype=int)
        self.p: Numbers = numbers(np.array([r.precision for r in rows], dtype=float))
        self.r: Numbers = numbers(np.array([r.recall for r in rows], dtype=float))
        self.ap50: Numbers = numbers(np.array([r.map50 for r in rows], dtype=float))
        self.ap: Numbers = numbers(np.array([r.map for r in rows], dtype=float))
        self.n_instances = np.array([r.n_instances for r in rows], dtype=int)
        self.n_pictures = np.array([r.n_pictures for r in rows], dtype=int)
        self.mp = float(result.precision) if result else 0.0
        self.mr = float(result.recall) if result else 0.0
        self.map50 = float(result.map50) if result else 0.0
        self.map = float(result.map) if result else 0.0

    @property
    def f1(self) -> Numbers:
        total = np.asarray(self.p + self.r)
        return numbers(np.divide(2 * np.asarray(self.p) * np.asarray(self.r), total, out=np.zeros_like(total), where=total > 0))

    @property
    def maps(self) -> Numbers:
        """(nc,): mAP50-95 of every class; where there are no objects of one, the mean."""
        maps = np.full(self.nc, self.map)
        maps[self.ap_class_index] = self.ap
        return numbers(maps)

    def mean_results(self) -> List[float]:
        """Precision, recall, mAP50, mAP50-95."""
        return [self.mp, self.mr, self.map50, self.map]

    def class_result(self, i: int) -> tuple:
        """The same of the i-th class that has objects."""
        return float(self.p[i]), float(self.r[i]), float(self.ap50[i]), float(self.ap[i])


class Metrics:
    """What a validation found: .box.map, .box.map50, .box.maps, .results_dict, ..."""

    keys = ["metrics/precision(B)", "metrics/recall(B)", "metrics/mAP50(B)", "metrics/mAP50-95(B)"]
    task = "detect"

    def __init__(self, names: Dict[int, str], result: Any = None, save_dir: Optional[str] = None):
        """result: a vg_val_result, which is only read here."""
        self.names = names
        self.box = BoxMetrics(names, result)
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
