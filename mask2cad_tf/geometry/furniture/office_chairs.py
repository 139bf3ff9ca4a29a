"""Swivel chairs."""

from typing import List
from typing import Tuple

import numpy as np

from mask2cad_tf.geometry.furniture import assembly
from mask2cad_tf.geometry.furniture import blocks
from mask2cad_tf.geometry.furniture import materials
from mask2cad_tf.geometry.furniture import paths
from mask2cad_tf.geometry.furniture import pedestals
from mask2cad_tf.geometry.furniture import shapes
from mask2cad_tf.geometry.furniture import surfaces

_HEIGHTS = {
  'low': 0.34,
  'mid': 0.52,
  'high': 0.62,
  'mesh': 0.56,
  'executive': 0.72,
  'bars': 0.5,
}  # of the back above the seat, metres


def office_chair(
  rng: np.random.Generator, back: str, arms: str
) -> assembly.Assembly:
  """A swivel chair on a five-pronged star with casters.

  Args:
    rng: proportions and colours.
    back: 'low', 'mid', 'high', 'mesh', 'executive' or 'bars'.
    arms: 'none', 'tee' or 'loop'.

  Returns:
    The chair.
  """
  model = assembly.Assembly()
  cover = materials.pick(rng, 'fabric', 'leather')
  shell = materials.named('plastic', 'black')
  seat, width = rng.uniform(0.45, 0.5), rng.uniform(0.47, 0.53)
  model.add(
    materials.pick(rng, 'metal', 'iron'),
    pedestals.star(rng.uniform(0.29, 0.34), seat - 0.06),
  )
  model.add(
    cover,
    blocks.cushion(
      (width, 0.09, width - 0.02), (0, seat - 0.02, 0), 0.045, (0, 0.015, 0)
    ),
  )
  model.add(shell, blocks.box((0.22, 0.03, 0.26), (0, seat - 0.075, 0), 0.01))
  hard, soft = _back(back, width)
  spine = paths.curve(
    [(0, -0.07, 0.12), (0, -0.04, -0.05), (0, 0.35, -0.075)], 7
  )
  hard.append(surfaces.sweep(spine, surfaces.superellipse(0.07, 0.016, 4, 12)))
  rake, foot = rng.uniform(5, 10), (0, seat, 0.03 - width / 2)
  for material, parts in ((shell, hard), (cover, soft)):
    model.add(
      material,
      *[shapes.moved(shapes.rotated(part, 'x', -rake), foot) for part in parts],
    )
  if arms != 'none':
    arm = _arm(arms, width / 2 + 0.03, seat, seat + rng.uniform(0.18, 0.23))
    model.add(shell, shapes.mirrored(arm))
  return model


def _back(
  kind: str, width: float
) -> Tuple[List[shapes.Shape], List[shapes.Shape]]:
  """Frame and upholstery of an upright back that stands at the origin."""
  tall = _HEIGHTS[kind]
  if kind == 'mesh':
    return _mesh_back(tall)
  if kind == 'executive':
    return [], [
      blocks.cushion(
        (share * width, tall / 4 + 0.012, 0.1),
        (0, 0.06 + tall * (i + 0.5) / 4, 0),
        0.04,
        (0, 0, 0.015),
      )
      for i, share in enumerate((1, 1, 0.97, 0.86))
    ]
  if kind == 'bars':
    rails = surfaces.bar((0.1, 0.02, -0.04), (0.1, tall, -0.04), 0.025)
    return [shapes.mirrored(rails)], [
      blocks.cushion((width - 0.06, 0.075, 0.05), (0, v, 0), 0.025)
      for v in np.linspace(0.2, tall, 4)
    ]
  pad = blocks.cushion(
    (width - 0.06, tall - 0.12, 0.07),
    (0, tall / 2 + 0.12, 0),
    0.03,
    (0, 0.03, 0.02),
  )
  if kind != 'high':
    return [], [pad]
  rest = blocks.cushion(
    (0.28, 0.13, 0.08), (0, tall + 0.15, 0), 0.04, (0, 0, 0.01)
  )
  stem = surfaces.bar((0, 0.3, -0.05), (0, tall + 0.16, -0.04), 0.06, 0.015)
  return [stem], [pad, rest]


def _mesh_back(tall: float) -> Tuple[List[shapes.Shape], List[shapes.Shape]]:
  """A net in a bent frame."""
  loop = paths.bent(
    [
      (-0.19, 0.06, 0),
      (0.19, 0.06, 0),
      (0.22, 0.4, -0.03),
      (0.17, tall, -0.02),
      (-0.17, tall, -0.02),
      (-0.22, 0.4, -0.03),
    ],
    0.08,
    closed=True,
  )
  x, v = np.meshgrid(
    np.linspace(-0.19, 0.19, 9), np.linspace(0.07, tall - 0.01, 7)
  )
  net = np.stack([x, v, 0.04 * (x / 0.19) ** 2 - 0.045], -1)
  return (
    [surfaces.tube(loop, 0.014, closed=True)],
    [surfaces.sheet(net, 0.006)],
  )


def _arm(kind: str, x: float, seat: float, y: float) -> shapes.Shape:
  """The right arm rest, at height y."""
  if kind == 'tee':
    return shapes.joined(
      surfaces.bar((x, seat - 0.06, -0.02), (x, y, -0.02), 0.02, 0.06),
      surfaces.bar(
        (0.08, seat - 0.065, -0.02), (x, seat - 0.065, -0.02), 0.06, 0.02
      ),
      blocks.cushion((0.08, 0.03, 0.26), (x, y, 0), 0.015),
    )
  loop = paths.bent(
    [
      (x, seat - 0.05, 0.12),
      (x + 0.02, y, 0.16),
      (x + 0.02, y, -0.16),
      (x, seat - 0.05, -0.14),
    ],
    0.07,
    4,
  )
  return surfaces.tube(loop, 0.016)
