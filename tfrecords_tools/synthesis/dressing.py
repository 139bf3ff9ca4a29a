"""From things that stand somewhere to parts of a scene: materials, linen."""

import dataclasses
from typing import Dict
from typing import List
from typing import Sequence

import numpy as np

from tfrecords_tools.synthesis import clutter
from tfrecords_tools.synthesis import materials
from tfrecords_tools.synthesis import placement
from tfrecords_tools.synthesis import scene as scene_lib
from tfrecords_tools.synthesis import soft_goods
from tfrecords_tools.synthesis import textures

_CLUTTERED = ('table', 'desk', 'bookcase', 'cabinet')
_CLUTTER = 0.6  # share of these that something stands on
_CLUTTER_COUNTS = (1, 2, 4, 7)
_CLUTTER_ODDS = (0.3, 0.3, 0.25, 0.15)
_GREY = scene_lib.Material(np.full(3, 0.4, np.float32))


def parts(
  rng: np.random.Generator,
  bank: textures.TextureBank,
  things: clutter.Things,
  placed: Sequence[placement.Placed],
) -> List[scene_lib.Part]:
  """Everything that stands, dressed, with what lies on it.

  Args:
    rng: source of randomness.
    bank: of textures.
    things: clutter.
    placed: the annotated objects.

  Returns:
    Parts whose owners are indices into `placed`; linen and cushions belong to
    what they lie on, clutter is `scene.UNLABELLED`.
  """
  looks: Dict[str, materials.Dress] = {}
  made = []
  for index, item in enumerate(placed):
    thing = item.thing
    if thing.mesh not in looks:  # twins are dressed alike
      looks[thing.mesh] = materials.dress(
        rng, bank, thing.geometry, thing.cad.label_name
      )
    made += _cad_parts(item, index, looks[thing.mesh])
    name, faces = thing.cad.label_name, thing.geometry.faces
    goods = soft_goods.lay(rng, bank, name, thing.vertices, faces)
    made += [_moved(good, item, index) for good in goods]
    carries = any(other.support is item for other in placed)
    if name in _CLUTTERED and not carries and rng.random() < _CLUTTER:
      count = int(rng.choice(_CLUTTER_COUNTS, p=_CLUTTER_ODDS))
      goods = clutter.scatter(rng, bank, thing.vertices, faces, count, things)
      made += [_moved(good, item, scene_lib.UNLABELLED) for good in goods]
  return made


def in_grey(part: scene_lib.Part) -> scene_lib.Part:
  """The part without colour and texture, if it is of a CAD."""
  if not part.is_cad:
    return part
  return dataclasses.replace(part, material=_GREY, uv=None)


def _cad_parts(item, index, look) -> List[scene_lib.Part]:
  vertices, geometry = item.vertices, item.thing.geometry
  made = []
  for rows, material, use_uv in look:
    used, faces = np.unique(geometry.faces[rows], return_inverse=True)
    made.append(
      scene_lib.Part(
        vertices[used],
        faces.reshape(-1, 3).astype(np.int32),
        material,
        owner=index,
        is_cad=True,
        uv=geometry.uv[used] if use_uv else None,
      )
    )
  return made


def _moved(good, item, owner) -> scene_lib.Part:
  """A soft good in the world."""
  turned = placement.turn(item.yaw).T.astype(np.float32)
  return scene_lib.Part(
    good.vertices @ turned + item.position.astype(np.float32),
    good.faces,
    good.material,
    owner,
    uv=good.uv,
    smooth=good.smooth,
  )
