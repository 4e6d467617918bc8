"""What a search has found, as a Markdown page that can be read as it is."""


def front(trials):
    """Those that no other one beats: none explains as much with fewer parameters, or more with as many.

    The smallest first.
    """
    best, result = float("-inf"), []
    for trial in sorted(trials, key=lambda trial: (trial["parameters"], -trial["explained"])):
        if trial["explained"] > best:
            best = trial["explained"]
            result.append(trial)
    return result


def table(heads, rows, left=1):
    """A Markdown table with columns of one width; the first `left` are words."""
    rows = [[str(cell) for cell in row] for row in rows]
    widths = [max([len(head), 3] + [len(row[i]) for row in rows]) for i, head in enumerate(heads)]

    def line(cells):
        padded = [cell.ljust(w) if i < left else cell.rjust(w) for i, (cell, w) in enumerate(zip(cells, widths))]
        return "| " + " | ".join(padded) + " |"

    dashes = ["-" * (w + 1) for w in widths]
    rule = "|" + "|".join(":" + dash if i < left else dash + ":" for i, dash in enumerate(dashes)) + "|"
    return "\n".join([line(heads), rule] + [line(row) for row in rows]) + "\n"


def markdown(results):
    states = [trial["state"] for trial in results["trials"]]
    counts = {"complete": "finished", "pruned": "pruned", "fail": "failed"}
    words = ", ".join(f"{states.count(state)} {word}" for state, word in counts.items() if state in states)
    hours = sum(trial["seconds"] or 0 for trial in results["trials"]) / 3600
    parts = [
        f"# Search for {results['study']}\n\n{len(states)} trials in {hours:.2f} hours: {words}.\n",
        "## Pareto front\n\n"
        "Explained variance on the validation set; no other trial explains as much with fewer parameters.\n\n"
        + front_table(results["front"]),
    ]
    shown = [importance_table(group, shares) for group, shares in results["importance"].items() if any(shares.values())]
    if shown:
        parts.append(
            "## Importance of each parameter\n\n"
            "Shares of the variance between trials (fANOVA); of few trials a rough guide.\n\n" + "\n".join(shown))
    return "\n".join(parts)


def front_table(trials):
    def row(trial):
        settings = trial["settings"]
        dropout = settings.get("alr.dropout")
        return [
            trial["spec"], f"{trial['parameters']:,}", f"{trial['explained']:.4f}", settings["epochs"],
            f"{settings['peak']:.3g}", f"{settings['weight_decay']:.2g}", "" if dropout is None else f"{dropout:g}",
            f"{trial['seconds'] or 0:.0f}", trial["trial"]]

    heads = ["spec", "parameters", "explained", "epochs", "peak", "decay", "dropout", "seconds", "trial"]
    return table(heads, map(row, trials))


def importance_table(group, shares):
    kinds = [shares["explained"], shares["parameters"]]
    names = sorted(kinds[0] or kinds[1], key=lambda name: ([-kind.get(name, 0) for kind in kinds], name))
    rows = [[name] + [f"{kind[name]:.2f}" if name in kind else "" for kind in kinds] for name in names]
    return table(["all families" if group == "all" else f"of {group}", "explained", "parameters"], rows)
