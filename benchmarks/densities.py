"""Predictive densities side by side: RMSE, negative log-density, CRPS and 90% coverage.

The standard splits of a folder with NAME/data.csv (last column the target) and NAME/test_rows.csv
(one line of row numbers a split). All see the same rows; settings are chosen inside each training
set. Every figure goes into a file at once: what is in there is not run again, and a run that was
cut goes on where it ended.

    python benchmarks/densities.py FOLDER --sets concrete yacht --splits 5 6 7
    python benchmarks/densities.py FOLDER --rivals single NGBoost --again single
"""

import argparse
import json
import time
import warnings
from itertools import product
from pathlib import Path

import numpy as np
from density_rivals import RIVALS, is_missing

from skmoe import metrics

SCORES = ("rmse", "nll", "crps", "coverage", "seconds")
ROW = "{:8.3f}{:8.3f}{:9.4f}{:9.3f}{:9.1f}"


def load(folder, name):
    """Return X, y and the row numbers of the test splits."""
    data = np.loadtxt(folder / name / "data.csv", delimiter=",")
    lines = (folder / name / "test_rows.csv").read_text().split("\n")
    splits = [np.array(line.replace(",", " ").split(), dtype=int) for line in lines if line]
    return data[:, :-1], data[:, -1], splits


def scores(rival, X, y, test):
    """Return what a rival scores on a split, a dict; seconds are the CPU's."""
    train = np.setdiff1d(np.arange(len(y)), test)
    start = time.process_time()
    answer = RIVALS[rival](X[train], y[train], X[test])
    seconds = time.process_time() - start
    return {
        "rmse": float(np.sqrt(np.mean(np.square(answer.mean() - y[test])))),
        "nll": metrics.negative_log_density(y[test], answer),
        "crps": metrics.crps(y[test], answer),
        "coverage": metrics.interval_coverage(y[test], answer),
        "seconds": seconds,
    }


class Ledger:
    """Figures by set, split and rival, kept in a file of JSON lines."""

    def __init__(self, path, again):
        self.path, self.found = path, {}
        lines = path.read_text().splitlines() if path.exists() else []
        for line in map(json.loads, lines):
            if line["rival"] not in again:
                self.found[line["set"], line["split"], line["rival"]] = line

    def add(self, name, split, rival, figures):
        """Keep the figures of a run."""
        line = {"set": name, "split": split, "rival": rival, **figures}
        self.found[name, split, rival] = line
        with self.path.open("a") as file:
            file.write(json.dumps(line) + "\n")

    def table(self, name, splits, rival):
        """Return the figures (n_splits, n_scores) of a rival, or None if some are missing."""
        lines = [self.found.get((name, split, rival)) for split in splits]
        if None in lines:
            return None
        return np.array([[line[score] for score in SCORES] for line in lines])


def run(arguments, ledger):
    """Fill the ledger: all rivals on a split of every set, then the next split."""
    data = {name: load(arguments.folder, name) for name in arguments.sets}
    for split, (name, (X, y, splits)) in product(arguments.splits, data.items()):
        for rival in arguments.rivals:
            if (name, split, rival) not in ledger.found and not is_missing(rival):
                ledger.add(name, split, rival, scores(rival, X, y, splits[split]))


def show(arguments, ledger):
    """Print a table of each set, and how rivals cover on average over the sets."""
    coverage = {}
    for name in arguments.sets:
        print(f"\n{name}, splits {arguments.splits}")
        print("               RMSE     NLL     CRPS  cover90    CPU s   NLL less the first's")
        first = None
        for rival in arguments.rivals:
            table = ledger.table(name, arguments.splits, rival)
            if table is None:
                print(f"{rival:12}not run")
                continue
            first = table if first is None else first
            apart = " ".join(f"{gap:+.2f}" for gap in table[:, 1] - first[:, 1])
            print(f"{rival:12}{ROW.format(*table.mean(axis=0))}   {apart}")
            coverage.setdefault(rival, []).append(table[:, 3].mean())
    print("\n90% intervals cover, mean over the sets above")
    for rival, shares in coverage.items():
        print(f"{rival:12}{np.mean(shares):8.3f}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--sets", nargs="+", default=["concrete", "energy", "yacht", "kin8nm"])
    parser.add_argument("--splits", nargs="+", type=int, default=[5, 6, 7, 8, 9])
    parser.add_argument("--rivals", nargs="+", default=list(RIVALS), choices=list(RIVALS))
    parser.add_argument("--again", nargs="*", default=[], choices=list(RIVALS), help="run anew")
    parser.add_argument("--results", type=Path, default=Path("densities.jsonl"))
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    ledger = Ledger(arguments.results, arguments.again)
    run(arguments, ledger)
    show(arguments, ledger)


if __name__ == "__main__":
    main()
