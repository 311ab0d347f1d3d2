"""What a notebook shows: tables and pictures as HTML, without scripts. All words from outside go through escape()."""
import base64
from html import escape
from typing import Any, Iterable, List, Sequence

MOST_ROWS = 30


def table(head: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """Numbers to the right, words to the left."""
    def cell(value: Any) -> str:
        if isinstance(value, float):
            return f'<td style="text-align:right">{value:.4g}</td>'
        if isinstance(value, int):
            return f'<td style="text-align:right">{value:,}</td>'
        return f'<td style="text-align:left">{escape(str(value))}</td>'

    body = "".join("<tr>" + "".join(cell(v) for v in row) + "</tr>" for row in rows)
    return f"<table><thead><tr>{''.join(f'<th>{escape(h)}</th>' for h in head)}</tr></thead><tbody>{body}</tbody></table>"


def picture(bgr: Any, most_width: int = 800) -> str:
    from ._pictures import encoded

    data = base64.b64encode(encoded(bgr, "jpg")).decode()
    return f'<img alt="" style="max-width:min(100%,{most_width}px)" src="data:image/jpeg;base64,{data}">'


def result(r: Any) -> str:
    words = f"<div>{escape(r.path)}, {r.orig_shape[1]} x {r.orig_shape[0]}: {escape(r.verbose().rstrip(', '))}</div>"
    rows: List[Sequence[Any]] = []
    for row in r.summary(decimals=3)[:MOST_ROWS]:
        b = row["box"]
        rows.append((row["name"], row["confidence"], b["x1"], b["y1"], b["x2"], b["y2"]))
    more = f"<div>and {len(r) - MOST_ROWS} more</div>" if len(r) > MOST_ROWS else ""
    try:
        shown = picture(r.plot())
    except Exception as e:  # a file that is gone: the boxes are there all the same
        shown = f"<div>{escape(str(e))}</div>"
    return words + shown + (table(("class", "confidence", "x1", "y1", "x2", "y2"), rows) if rows else "") + more


def model(m: Any) -> str:
    rows = [("weights", m.ckpt_path), ("model", m._name), ("classes", ", ".join(list(m.names.values())[:MOST_ROWS])),
            ("layers", m._n_layers), ("parameters", m._n_params), (f"GFLOPs at {m._imgsz}", float(m._gflops))]
    return table(("", ""), rows)


def metrics(m: Any) -> str:
    b = m.box
    rows: List[Sequence[Any]] = [("all", m.n_pictures, m.n_instances, b.mp, b.mr, b.map50, b.map)]
    rows += [(r["Class"], r["Images"], r["Instances"], r["Box-P"], r["Box-R"], r["mAP50"], r["mAP50-95"]) for r in m.summary()]
    return table(("class", "pictures", "objects", "P", "R", "mAP50", "mAP50-95"), rows)


_COLOURS = ("#4269d0", "#efb118", "#ff725c")


# Read on a light page and on a dark one: a picture does not know which it is in.
_INK = "#808080"


def drawing(svg: str, title: str) -> str:
    """SVG as a picture of its own: Jupyter takes bare SVG out of a notebook that it does not trust, and leaves its words in a
    heap; so does who shows notebooks of others."""
    own = svg.replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" ', 1).replace("currentColor", _INK)
    return f'<img alt="{escape(title, True)}" src="data:image/svg+xml;base64,{base64.b64encode(own.encode()).decode()}">'


def curve(title: str, series: dict, width: int = 320, height: int = 140, across: str = "") -> str:
    """Lines over epochs, drawn; series: values by name, all of one length. across: what stands below the last, else its
    number."""
    values = [v for line in series.values() for v in line if v is not None and v == v]
    if not values:
        return ""
    low, high = min(values), max(values)
    span = (high - low) or 1.0
    n = max(len(line) for line in series.values())
    left, top, w, h = 44, 22, width - 54, height - 42
    out = [f'<svg role="img" aria-label="{escape(title, True)}" width="{width}" height="{height}" '
           'style="font:11px sans-serif;fill:currentColor">', f'<text x="{left}" y="14">{escape(title)}</text>']
    for value, y in ((high, top), (low, top + h)):
        out.append(f'<text x="{left - 4}" y="{y + 4}" text-anchor="end">{value:.3g}</text>'
                   f'<path d="M{left} {y}h{w}" stroke="currentColor" opacity=".2"/>')
    out.append(f'<text x="{left + w}" y="{height - 4}" text-anchor="end">{escape(across) or f"epoch {n}"}</text>')
    for i, (name, line) in enumerate(series.items()):
        points = [f"{left + w * k / max(1, n - 1):.1f},{top + h - h * (v - low) / span:.1f}" for k, v in enumerate(line)
                  if v is not None and v == v]
        colour = _COLOURS[i % len(_COLOURS)]
        out.append(f'<polyline fill="none" stroke="{colour}" stroke-width="1.5" points="{" ".join(points)}"><title>{escape(name)}'
                   "</title></polyline>")
        if len(points) == 1:
            cx, cy = points[0].split(",")
            out.append(f'<circle cx="{cx}" cy="{cy}" r="2" fill="{colour}"/>')
        out.append(f'<text x="{left + w - 4}" y="14" text-anchor="end" dx="{-70 * (len(series) - 1 - i)}" fill="{colour}">'
                   f"{escape(name)}</text>")
    return drawing("".join(out) + "</svg>", title)


def curves(history: Sequence[dict]) -> str:
    """Losses and metrics of a run, from Trainer.history."""
    def column(key: str) -> list:
        return [row.get(key) for row in history]

    drawn = [curve(name, {"train": column(f"train/{name}"), "val": column(f"val/{name}")})
             for name in ("box_loss", "cls_loss", "dfl_loss")]
    drawn.append(curve("precision, recall", {"P": column("metrics/precision(B)"), "R": column("metrics/recall(B)")}))
    drawn.append(curve("mAP", {"50": column("metrics/mAP50(B)"), "50-95": column("metrics/mAP50-95(B)")}))
    drawn.append(curve("learning rate", {"pg0": column("lr/pg0")}))
    return f'<div style="display:flex;flex-wrap:wrap;gap:8px">{"".join(drawn)}</div>'


def run(t: Any) -> str:
    state = f"epoch {t.epoch + 1} of {t.epochs}" + (", stopped" if t.stopped else "")
    return f"<div>{escape(t.save_dir)}: {state}</div>" + (curves(t.history) if t.history else "")


def guard(g: Any) -> str:
    rows = [(e.get("series", ""), e.get("state", ""), e.get("cause", "") or "", e.get("remedy", "") or "")
            for e in list(g.events)[-MOST_ROWS:]]
    return f"<div>{escape(repr(g))}</div>" + (table(("series", "verdict", "cause", "remedy"), rows) if rows else "")
