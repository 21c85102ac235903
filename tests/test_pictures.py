"""The pictures show what a terminal shows."""

from __future__ import annotations

from unittest import TestCase
from xml.etree import ElementTree

import pyte

from tools.pictures import THEMES, WIDTH, svg

SVG = "{http://www.w3.org/2000/svg}"


class Picture(TestCase):
    def draw(self, output: str) -> list[ElementTree.Element]:
        screen = pyte.Screen(20, 2)
        pyte.Stream(screen).feed(output)
        cells = [[screen.buffer[row][column] for column in range(20)] for row in range(2)]
        return list(ElementTree.fromstring(svg(cells, THEMES["dark"], (1, 1))).iter())

    def test_text_stands_in_its_place_and_colour(self) -> None:
        texts = [part for part in self.draw("a \x1b[31m<b> & c\x1b[0m 谢x") if part.tag == f"{SVG}text"]
        self.assertEqual([part.text for part in texts], ["a", "<b> & c", "谢", "x"])
        columns = [(float(part.attrib["x"]) - float(texts[0].attrib["x"])) / WIDTH for part in texts]
        self.assertEqual([round(column) for column in columns], [0, 2, 10, 12])
        self.assertEqual(texts[1].attrib["fill"], THEMES["dark"].colours["red"])
        self.assertEqual(float(texts[2].attrib["textLength"]), 2 * WIDTH)

    def test_background_is_drawn_where_it_is_another(self) -> None:
        colours = [part.attrib.get("fill") for part in self.draw("a\x1b[7mb\x1b[0;38;2;1;2;3mc") if part.tag != "x"]
        self.assertEqual(colours.count(THEMES["dark"].text), 3)  # a, the background of b, the cursor
        self.assertIn("#010203", colours)
