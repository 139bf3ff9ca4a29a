"""Two rendered rooms of box furniture in ScanNet's layout, and what is true."""

import json
import os
from typing import Any
from typing import Dict
from typing import List

import trimesh

from tests import toy
from tfrecords_tools import mini_scannet

SCENES, FRAMES = 2, 4


def write(root: str) -> str:
  """Writes a library and the scans; returns the scans' folder."""
  library = os.path.join(root, 'library')
  boxes = {
    **toy.box_furniture(),
    'misc/jar': trimesh.creation.cylinder(0.3, 0.8, sections=12),
  }
  for cad_id, mesh in boxes.items():
    os.makedirs(os.path.join(library, cad_id))
    mesh.export(os.path.join(library, cad_id, 'model.ply'))
  scans = os.path.join(root, 'scans')
  mini_scannet.write(
    library,
    scans,
    num_scenes=SCENES,
    frames_per_scene=FRAMES,
    num_objects=6,
    image_width=160,
  )
  return scans


def truth(scans: str) -> Dict[str, List[Dict[str, Any]]]:
  """'<scene>/<frame>' -> objects, as truth.json has them."""
  with open(os.path.join(scans, 'truth.json'), encoding='utf-8') as file:
    return json.load(file)
