"""Rows of layers.py as lines of Markdown, and what they say together."""
import math

PASSES = ("forward", "data", "weights")


def quantile(times, share):
    times, at = sorted(times), share * (len(times) - 1)
    low, high = times[math.floor(at)], times[math.ceil(at)]
    return low + (high - low) * (at - math.floor(at))


def spread(ms):
    """Microseconds."""
    return {"median": 1e3 * quantile(ms, 0.5), "p10": 1e3 * quantile(ms, 0.1), "p90": 1e3 * quantile(ms, 0.9), "runs": len(ms)}


def table_line(row):
    number = lambda v: f"{v:.0f}" if v >= 1000 else f"{v:.4g}"
    us = lambda r: f"{number(r['median'])} ({number(r['p10'])}–{number(r['p90'])})" if r else "–"
    uses = ", ".join(f"{net} {n}" for net, n in row["uses"].items())
    why = row.get("not") or "; ".join(f"{how}: {text}" for how, text in row["failed"].items())
    if "ratio" not in row:
        return (f"| {row['shape']} | {uses} | {row['pass']} | {us(row.get('ours'))} | | {us(row.get('peer'))} | | – | "
                f"not compared: {why} | |")
    return (f"| {row['shape']} | {uses} | {row['pass']} | {us(row['ours'])} | {row['way'] or '–'} | {us(row['peer'])} | "
            f"{row['how']} | **{row['ratio']:.2f}** | {row['of_matrix_roof']:.0f} % | {row['roof']:.0f} % |")


def geometric_mean(numbers):
    return math.exp(sum(map(math.log, numbers)) / len(numbers))


def summed(rows, net=None):
    """Of rows with a ratio: how many, geometric mean, least, below 1, and the totals as often as `net` has each."""
    ratios = [r["ratio"] for r in rows]
    total = lambda side: sum(r[side]["median"] * (r["uses"][net] if net else 1) for r in rows) * 1e-3
    return {"shapes": len(rows), "mean": geometric_mean(ratios), "least": min(ratios), "below": sum(x < 1 for x in ratios),
            "ours_ms": total("ours"), "peer_ms": total("peer")}


def named(row):
    net, layer = next(iter(row["layers"].items()))
    return f"{net} {layer} {row['pass']} {row['ratio']:.2f}"


def summary(rows):
    """Lines of Markdown."""
    good = [r for r in rows if "ratio" in r]
    if not good:
        return ["nothing was compared"]
    lines = ["| net | pass | shapes | geometric mean | least | below 1 | dactyl ms | PyTorch ms | ratio of the net's sums |",
             "|---|---|---|---|---|---|---|---|---|"]
    for net in dict.fromkeys(net for r in good for net in r["uses"]):
        for which in (*PASSES, "all"):
            some = [r for r in good if net in r["uses"] and which in (r["pass"], "all")]
            if some:
                s = summed(some, net)
                lines.append(f"| {net} | {which} | {s['shapes']} | **{s['mean']:.2f}** | {s['least']:.2f} | {s['below']} | "
                             f"{s['ours_ms']:.4g} | {s['peer_ms']:.4g} | {s['peer_ms'] / s['ours_ms']:.2f} |")
    s = summed(good)
    slower = sorted((r for r in good if r["ratio"] < 1), key=lambda r: r["ratio"])
    beyond = [r for r in slower if r["ours"]["p10"] > r["peer"]["p90"]]
    within = [r for r in slower if r not in beyond]
    stems = [r for r in good if r["stem"]]
    listed = lambda some: f"{len(some)}" + ("".join(f"\n- {named(r)}: {r['shape']}" for r in some))
    return [*lines, "", f"all {s['shapes']} rows, each shape once: geometric mean {s['mean']:.3f}, least {s['least']:.2f}, "
            f"below 1: {s['below']}", "",
            f"slower beyond the spread (our 10 % above its 90 %): {listed(beyond)}", "",
            f"below 1 within the spread: {listed(within)}", "",
            f"stems: {', '.join(map(named, stems)) or 'none measured'}",
            *(f"not compared: {r['shape']} {r['pass']}" for r in rows if "ratio" not in r)]
