"""Small things that stand about: cups, books, lamps, screens, plants.

A maker takes a Generator and a TextureBank and returns pieces in metres that
stand on y = 0 around the origin, the front towards -z, together at most 400
triangles.
"""

from typing import Callable
from typing import Dict
from typing import Tuple

from tfrecords_tools.synthesis import crockery
from tfrecords_tools.synthesis import desk_things

# Name -> maker, and how often it is drawn.
MAKERS: Dict[str, Tuple[Callable, float]] = {
  'book_pile': (desk_things.book_pile, 3),
  'book_row': (desk_things.book_row, 4),
  'bottle': (crockery.bottle, 2),
  'candle': (crockery.candle, 1),
  'carton': (desk_things.carton, 2),
  'cup': (crockery.cup, 4),
  'fruit_bowl': (crockery.fruit_bowl, 1),
  'keyboard': (desk_things.keyboard, 1),
  'laptop': (desk_things.laptop, 1.5),
  'monitor': (desk_things.monitor, 1.5),
  'papers': (desk_things.papers, 2),
  'photo_frame': (desk_things.photo_frame, 1.5),
  'plant': (crockery.plant, 3),
  'speaker': (desk_things.speaker, 1),
  'table_lamp': (crockery.table_lamp, 1.5),
  'vase': (crockery.vase, 2),
}
