"""L-shaped sofas."""

from typing import NamedTuple

import numpy as np

from mask2cad_tf.geometry.furniture import assembly
from mask2cad_tf.geometry.furniture import blocks
from mask2cad_tf.geometry.furniture import materials
from mask2cad_tf.geometry.furniture import shapes
from mask2cad_tf.geometry.furniture import sofas
from mask2cad_tf.geometry.furniture import supports


class _Plan(NamedTuple):
  """Measures of a sofa whose wing runs to the front on the right, metres."""

  pad: float  # width of a seat
  arm: float  # width of an arm
  width: float
  depth: float
  long: float  # of the wing, from the back
  low: float  # clearance
  seat: float  # height of the seat
  top: float  # height of the back


_PUFF = (0, 0.025, 0.01)


def corner_sofa(
  rng: np.random.Generator, arms: str, side: str, seats: int, chaise: bool
) -> assembly.Assembly:
  """An L-shaped sofa.

  Args:
    rng: proportions and colours.
    arms: a key of `sofas.ARM_WIDTHS`.
    side: of the wing as one looks at the sofa's front: 'left' (-x) or 'right'.
    seats: beside the wing.
    chaise: the wing has no back.

  Returns:
    The sofa.
  """
  model = assembly.Assembly()
  cloth = materials.pick(rng, 'fabric', 'leather')
  wood = materials.pick(rng, 'wood', 'metal')
  arm, pad = sofas.ARM_WIDTHS[arms], rng.uniform(0.62, 0.7)
  plan = _Plan(
    pad=pad,
    arm=arm,
    width=(seats + 1) * pad + (2 if chaise else 1) * arm,
    depth=rng.uniform(0.86, 0.96),
    long=rng.uniform(1.5, 1.75) + (0 if chaise else 0.6),
    low=rng.uniform(0.05, 0.12),
    seat=rng.uniform(0.4, 0.44),
    top=rng.uniform(0.72, 0.82),
  )
  model.add(
    wood,
    supports.support(
      'square', plan.width - 0.1, plan.depth - 0.1, plan.low, 0.03
    ),
  )
  _add_main(model, cloth, plan, seats, seats + chaise)
  (_add_chaise if chaise else _add_wing)(model, cloth, wood, plan)
  end = sofas.side_arm(arms, plan.depth, plan.low, 0.62)
  end = shapes.moved(end, (plan.width / 2, 0, 0))
  model.add(cloth, shapes.reflected(end))
  if chaise:
    model.add(cloth, end)
  return _flip(model) if side == 'left' else model


def _add_main(model, cloth, plan, seats, backs):
  """The part along the wall."""
  base, fixed = plan.seat - 0.14, plan.top - 0.1
  left, back = plan.arm - plan.width / 2, -plan.depth / 2
  model.add(
    cloth,
    blocks.box(
      (plan.width - 0.01, base - plan.low, plan.depth),
      (0, (plan.low + base) / 2, 0),
      0.015,
    ),
  )
  for i in range(seats):
    model.add(
      cloth,
      blocks.cushion(
        (plan.pad - 0.008, 0.17, plan.depth - 0.2),
        (left + plan.pad * (i + 0.5), plan.seat - 0.07, 0.09),
        0.05,
        _PUFF,
      ),
    )
  model.add(
    cloth,
    blocks.cushion(
      (plan.width, fixed - plan.low, 0.18),
      (0, (fixed + plan.low) / 2, back + 0.09),
      0.05,
      corner=1,
    ),
  )
  model.add(
    cloth,
    *sofas.back_cushions(
      'loose',
      left,
      left + plan.pad * backs,
      backs,
      plan.seat,
      plan.top,
      back + 0.16,
    ),
  )


def _add_base(model, cloth, wood, plan, width):
  """The wing's box and front foot."""
  base = plan.seat - 0.14
  x, front = (plan.width - width) / 2, plan.long - plan.depth / 2
  model.add(
    cloth,
    blocks.box(
      (width, base - plan.low, plan.long - plan.depth + 0.02),
      (x, (plan.low + base) / 2, plan.long / 2 - 0.01),
      0.015,
    ),
  )
  model.add(
    wood,
    blocks.box((width - 0.1, plan.low, 0.06), (x, plan.low / 2, front - 0.08)),
  )


def _add_chaise(model, cloth, wood, plan):
  """A wing to stretch one's legs on: one long cushion, no back."""
  _add_base(model, cloth, wood, plan, plan.pad + plan.arm)
  run = plan.long - 0.2
  model.add(
    cloth,
    blocks.cushion(
      (plan.pad - 0.008, 0.17, run - 0.008),
      (
        plan.width / 2 - plan.arm - plan.pad / 2,
        plan.seat - 0.07,
        0.2 + (run - plan.depth) / 2,
      ),
      0.05,
      _PUFF,
    ),
  )


def _add_wing(model, cloth, wood, plan):
  """A wing with seats facing left, a back and an arm in front."""
  _add_base(model, cloth, wood, plan, plan.pad)
  x, back = plan.width / 2, -plan.depth / 2
  end, fixed = max(plan.arm, 0.09), plan.top - 0.1
  run = plan.long - 0.2 - end
  for i in range(2):
    model.add(
      cloth,
      blocks.cushion(
        (plan.pad - 0.18, 0.17, run / 2 - 0.008),
        (
          x - plan.pad / 2 - 0.09,
          plan.seat - 0.07,
          back + 0.2 + run * (i + 0.5) / 2,
        ),
        0.05,
        _PUFF,
      ),
    )
  model.add(
    cloth,
    blocks.cushion(
      (0.18, fixed - plan.low, plan.long),
      (x - 0.09, (fixed + plan.low) / 2, back + plan.long / 2),
      0.05,
      corner=1,
    ),
  )
  pads = sofas.back_cushions(
    'loose', 0.025 - run / 2, run / 2 - 0.025, 2, plan.seat, plan.top, 0
  )
  model.add(
    cloth,
    *[
      shapes.moved(
        shapes.rotated(pad, 'y', -90), (x - 0.16, 0, back + 0.28 + run / 2)
      )
      for pad in pads
    ],
  )
  model.add(
    cloth,
    blocks.cushion(
      (plan.pad, 0.62 - plan.low, end),
      (x - plan.pad / 2, (0.62 + plan.low) / 2, back + plan.long - end / 2),
      0.03,
      corner=1,
    ),
  )


def _flip(model: assembly.Assembly) -> assembly.Assembly:
  """The mirror image of a finished model."""
  other = assembly.Assembly()
  for material, shape in model.parts():
    other.add(material, shapes.reflected(shape))
  return other
