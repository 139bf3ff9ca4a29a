"""How Pix3D's photos show their objects: quantiles, measured.

Provenance: the Pix3D S1 and S2 annotations (test splits, 4,179 photos), without
the 67 photos that models are measured on. Angles are those of the ray from the
object's centre to the camera, in degrees: azimuth from the CAD's front (-z),
without its sign, and elevation. `size` is the longer side of the whole CAD's
projection, as a share of the picture's side, also where it reaches out of it.
"""

from typing import Dict
from typing import NamedTuple
from typing import Tuple

# Quantiles at these levels stand in the tables.
LEVELS = (0.02, 0.1, 0.25, 0.5, 0.75, 0.9, 0.98)

Quantiles = Tuple[float, ...]


class ClassViews(NamedTuple):
  """Of one class."""

  azimuth: Quantiles  # degrees, 0 .. 180
  elevation: Quantiles  # degrees
  focal: Quantiles  # longer sides of the picture; at most 6
  size: Quantiles  # shares of the picture
  roll: Quantiles  # degrees


# Of all classes: shares of the picture, of the box's centre from the
# picture's, +x right and +y down; width over height.
CENTER_X = (-0.30, -0.13, -0.04, -0.00, 0.03, 0.10, 0.25)
CENTER_Y = (-0.19, -0.07, -0.02, 0.02, 0.11, 0.22, 0.36)
ASPECT = (0.56, 0.75, 0.75, 1.00, 1.33, 1.51, 1.88)

ANY_CLASS = ClassViews(
  (0, 3, 19, 35, 68, 132, 171),
  (1, 7, 11, 22, 33, 42, 56),
  (0.55, 0.75, 0.84, 1.00, 1.56, 3.00, 6.00),
  (0.30, 0.46, 0.63, 0.80, 0.92, 1.00, 1.26),
  (-10.7, -3.9, -1.2, 0.2, 2.0, 5.8, 13.0),
)

BY_CLASS: Dict[str, ClassViews] = {
  'bed': ClassViews(
    (0, 4, 23, 30, 45, 61, 90),
    (1, 5, 7, 11, 19, 24, 33),
    (0.58, 0.78, 0.92, 1.14, 1.89, 2.98, 4.03),
    (0.38, 0.55, 0.73, 0.88, 0.98, 1.21, 1.75),
    (-6.5, -2.9, -1.1, -0.1, 0.7, 2.2, 7.5),
  ),
  'bookcase': ClassViews(
    (1, 3, 10, 28, 33, 50, 64),
    (-20, 0, 4, 8, 12, 19, 34),
    (0.63, 0.79, 0.97, 1.23, 2.27, 3.72, 6.00),
    (0.42, 0.66, 0.79, 0.89, 0.96, 1.11, 1.38),
    (-15.0, -1.5, -0.4, 0.1, 1.1, 2.5, 15.0),
  ),
  'chair': ClassViews(
    (1, 7, 25, 50, 111, 147, 174),
    (4, 10, 20, 31, 39, 49, 61),
    (0.53, 0.74, 0.81, 0.89, 1.12, 2.10, 6.00),
    (0.28, 0.43, 0.59, 0.75, 0.86, 0.95, 1.13),
    (-12.6, -5.8, -2.1, 0.7, 4.6, 8.4, 14.2),
  ),
  'desk': ClassViews(
    (0, 3, 25, 45, 149, 171, 179),
    (-11, 8, 11, 20, 28, 35, 45),
    (0.68, 0.78, 0.93, 1.19, 2.34, 4.78, 6.00),
    (0.34, 0.50, 0.65, 0.80, 0.93, 1.02, 1.22),
    (-8.3, -2.8, -0.8, 0.2, 1.1, 3.0, 7.2),
  ),
  'misc': ClassViews(
    (12, 20, 25, 46, 85, 116, 159),
    (19, 23, 31, 38, 46, 52, 61),
    (0.40, 0.49, 0.77, 1.01, 1.51, 6.00, 6.00),
    (0.14, 0.21, 0.31, 0.42, 0.48, 0.78, 0.93),
    (-15.0, -15.0, -10.0, -2.3, 2.4, 9.4, 15.0),
  ),
  'sofa': ClassViews(
    (0, 1, 5, 23, 38, 52, 77),
    (3, 7, 10, 16, 26, 33, 41),
    (0.59, 0.75, 0.85, 1.04, 1.42, 2.34, 4.35),
    (0.39, 0.57, 0.75, 0.88, 0.97, 1.06, 1.28),
    (-7.6, -2.8, -1.2, 0.0, 1.2, 3.2, 9.0),
  ),
  'table': ClassViews(
    (1, 4, 19, 34, 60, 95, 150),
    (7, 10, 12, 20, 29, 36, 46),
    (0.59, 0.80, 0.93, 1.26, 2.31, 4.61, 6.00),
    (0.31, 0.44, 0.58, 0.76, 0.89, 0.98, 1.09),
    (-5.5, -2.0, -0.7, 0.1, 1.0, 2.8, 5.5),
  ),
  'tool': ClassViews(
    (6, 10, 36, 84, 121, 150, 177),
    (-39, -13, 23, 35, 49, 60, 68),
    (0.40, 0.40, 0.52, 0.74, 0.99, 1.27, 6.00),
    (0.19, 0.22, 0.30, 0.55, 0.62, 0.73, 0.86),
    (-133.4, -82.2, -17.9, -4.4, 2.3, 13.8, 18.1),
  ),
  'wardrobe': ClassViews(
    (0, 1, 7, 27, 32, 44, 64),
    (-6, 2, 5, 8, 14, 17, 21),
    (0.43, 0.75, 0.94, 1.21, 2.38, 3.56, 6.00),
    (0.50, 0.70, 0.83, 0.91, 0.99, 1.07, 1.23),
    (-2.6, -1.0, -0.4, 0.1, 0.5, 1.5, 3.0),
  ),
}
