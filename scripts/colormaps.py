#!/usr/bin/env python3
"""Writes assets/colormaps/names.txt and tables.bin: 256 RGB entries of each colormap, 8 bits each.

    pip install matplotlib==3.11.2 && pip install --no-deps vispy==0.17.0 napari==0.9.2 && pip install hsluv
    python scripts/colormaps.py

Where napari and matplotlib (or VisPy) use a name for different maps, matplotlib's is taken, in any case of
letters; reversed maps (`_r`) and straight ramps are made by the program itself. assets/colormaps/README.md
names the sources and their terms: a map that comes in must come in there too.
"""

import importlib.util
import pathlib
import sys

import matplotlib
import numpy as np
import vispy
from vispy.color import get_colormap

ENTRIES = 256
OUT = pathlib.Path(__file__).resolve().parent.parent / "assets" / "colormaps"

# Ramps from black that the program makes.
RAMPS = {"gray", "grey", "red", "green", "blue", "cyan", "magenta", "yellow"}
# First in lists, because they are asked for most.
FIRST = ["viridis", "magma", "inferno", "plasma", "cividis", "turbo", "hsv", "twilight", "twilight_shifted",
         "gist_earth", "PiYG"]
VISPY = ["light_blues", "orange", "single_hue", "diverging", "PuGr", "GrBu", "GrBu_d", "RdYeBuCy", "hsl", "husl"]


def interpolated(stops):
    """Colours at even distances, straight between them."""
    stops = np.asarray(stops, dtype=float)[:, :3]
    at = np.linspace(0, 1, len(stops))
    return np.stack([np.interp(np.linspace(0, 1, ENTRIES), at, stops[:, i]) for i in range(3)], axis=1)


def napari_module(name):
    """A data module of napari, without importing napari."""
    folder = next(pathlib.Path(p) / "napari/utils/colormaps" for p in sys.path if (pathlib.Path(p) / "napari").is_dir())
    spec = importlib.util.spec_from_file_location(name, folder / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def matplotlib_maps():
    listed = [n for n in matplotlib.colormaps if not n.endswith("_r") and n not in RAMPS]
    for name in FIRST + sorted(set(listed) - set(FIRST), key=str.lower):
        yield name, matplotlib.colormaps[name](np.linspace(0, 1, ENTRIES))[:, :3]


def napari_maps():
    for name, (_, stops) in napari_module("bop_colors").bopd.items():
        yield name, interpolated(stops)
    for name, (_, stops) in napari_module("inverse_colormaps").inverse_cmaps.items():
        yield name, interpolated(stops)
    yield "fire", interpolated([[1, 1, 1], [1, 1, 0], [1, 0, 0]])
    yield "ice", interpolated([[0, 0, 1], [1, 1, 1]])
    # Grey that shows both ends of the contrast limits.
    hilo = interpolated([[0, 0, 0], [1, 1, 1]])
    hilo[0], hilo[-1] = [0, 0, 1], [1, 0, 0]
    yield "HiLo", hilo


def vispy_maps():
    for name in VISPY:
        yield name, get_colormap(name).map(np.linspace(0, 1, ENTRIES, dtype=np.float32))[:, :3]


def main():
    seen, names, tables = set(RAMPS), [], []
    for source in (matplotlib_maps(), napari_maps(), vispy_maps()):
        for name, table in source:
            if name.lower() in seen:
                continue
            seen.add(name.lower())
            names.append(name)
            tables.append(np.round(np.clip(table, 0, 1) * 255).astype(np.uint8))
    (OUT / "names.txt").write_text("".join(f"{n}\n" for n in names))
    (OUT / "tables.bin").write_bytes(np.stack(tables).tobytes())
    print(f"{len(names)} maps of matplotlib {matplotlib.__version__}, vispy {vispy.__version__}")


if __name__ == "__main__":
    main()
