#!/usr/bin/env python3
"""Makes the three Inter files of this folder from the upstream OpenType files.

usage: make.py FOLDER_OF_INTER_OTF_FILES   (needs the Python package fonttools)

Two things are changed. Scripts we have no words in are left out, which makes a file a third as large. And the
digits are the tabular ones: egui does not switch OpenType features on, and figures that change while one looks at
them must not dance.
"""
import pathlib
import sys

from fontTools import subset
from fontTools.ttLib import TTFont

KEPT = [(0x20, 0x7E), (0xA0, 0x17F), (0x192, 0x192), (0x218, 0x21B), (0x2C6, 0x2DD), (0x370, 0x3FF),
        (0x400, 0x45F), (0x1E80, 0x1E9E), (0x2000, 0x206F), (0x2070, 0x209C), (0x20A0, 0x20BF),
        (0x2100, 0x2122), (0x2150, 0x215F), (0x2190, 0x21B5), (0x2200, 0x2265), (0x2300, 0x23CF),
        (0x25A0, 0x25EF), (0x2600, 0x26A0), (0x2713, 0x2717)]


def tabular(font):
    """Glyph name → name of its tabular form."""
    table = font["GSUB"].table
    mapping = {}
    for record in table.FeatureList.FeatureRecord:
        if record.FeatureTag == "tnum":
            for index in record.Feature.LookupListIndex:
                for subtable in table.LookupList.Lookup[index].SubTable:
                    mapping.update(getattr(subtable, "ExtSubTable", subtable).mapping)
    return mapping


def main():
    source, here = pathlib.Path(sys.argv[1]), pathlib.Path(__file__).parent
    for style in ("Regular", "Medium", "SemiBold"):
        font = TTFont(source / f"Inter-{style}.otf")
        tabular_of = tabular(font)
        for table in font["cmap"].tables:
            if table.isUnicode():
                for digit in "0123456789":
                    table.cmap[ord(digit)] = tabular_of.get(table.cmap[ord(digit)], table.cmap[ord(digit)])
        options = subset.Options()
        options.layout_features = ["kern", "mark", "mkmk", "ccmp", "locl", "case"]
        options.notdef_outline = True
        options.hinting = False
        worker = subset.Subsetter(options)
        worker.populate(unicodes=[c for first, last in KEPT for c in range(first, last + 1)])
        worker.subset(font)
        font.save(here / f"Inter-{style}.otf")


main()
