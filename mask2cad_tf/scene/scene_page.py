"""scene.html: one page with the photo, its CADs and all candidates.

The page's program is page/scene.html, bundled by `make page` from page/src and
three.js (MIT). It makes no request: photo, meshes and scene.json are inside.
"""

import base64
import html
import io
import json
import os
import pathlib
import re
from typing import Any
from typing import List
from typing import Mapping
from typing import Tuple

import numpy as np
from PIL import Image

from mask2cad_tf.scene import cad_meshes
from mask2cad_tf.scene import glb
from mask2cad_tf.scene import overlay

PAGE = 'scene.html'
_TEMPLATE = pathlib.Path(__file__).parent / 'page' / 'scene.html'
_MAX_PHOTO_SIDE = 1600  # pixels, of the photo inside
_MAX_FACES = 400_000  # of all CADs inside; about 100 bytes each
_JPEG_QUALITY = 88


def write(
  path: str,
  scene: Mapping[str, Any],
  image: np.ndarray,
  cads: cad_meshes.CadMeshes,
) -> None:
  """Writes the page.

  Every object's best CAD is inside; of the other candidates as many, best
  first, as keep the page below 400,000 faces. The page says what is missing.

  Args:
    path: of the page.
    scene: as `scene_json.describe` gives it.
    image: the photo, uint8 [H, W, 3].
    cads: meshes of the candidates.
  """
  cad_ids, left_out = _choose(scene['objects'], cads)
  colors = ['#{:02x}{:02x}{:02x}'.format(*color) for color in overlay.COLORS]
  notes = []
  if left_out:
    notes.append(
      f'Not in this page, which would be too large: {", ".join(left_out)}.'
    )
  carried = {
    'scene': scene,
    'photo': _data_url(image),
    'colors': colors,
    'notes': notes,
  }
  meshes = glb.of_cads(cad_ids, cads) if cad_ids else b''
  values = {
    'TITLE': html.escape(f'{os.path.basename(scene["image"]["path"])}: scene'),
    # Inside a script element only "<" can end it.
    'SCENE': json.dumps(carried, allow_nan=False).replace('<', '\\u003c'),
    'CADS': base64.b64encode(meshes).decode(),
  }
  page = re.sub(
    r'\{\{(TITLE|SCENE|CADS)\}\}',
    lambda match: values[match[1]],
    _TEMPLATE.read_text(encoding='utf-8'),
  )
  with open(path, 'w', encoding='utf-8') as file:
    file.write(page)


def _choose(
  objects: List[Mapping[str, Any]], cads: cad_meshes.CadMeshes
) -> Tuple[List[str], List[str]]:
  """CADs that go into the page, and those that do not."""
  lists = [found['candidates'] for found in objects]
  longest = max(map(len, lists), default=0)
  ranked = list(
    dict.fromkeys(
      ranks[place]['cad_id']
      for place in range(longest)
      for ranks in lists
      if place < len(ranks)
    )
  )
  best = {ranks[0]['cad_id'] for ranks in lists}
  chosen: List[str] = []
  faces = 0
  for cad_id in ranked:
    count = len(cads.mesh(cad_id).faces)
    if cad_id in best or faces + count <= _MAX_FACES:
      chosen.append(cad_id)
      faces += count
  return chosen, [cad_id for cad_id in ranked if cad_id not in chosen]


def _data_url(image: np.ndarray) -> str:
  picture = Image.fromarray(image)
  picture.thumbnail((_MAX_PHOTO_SIDE, _MAX_PHOTO_SIDE))
  content = io.BytesIO()
  picture.save(content, 'JPEG', quality=_JPEG_QUALITY)
  return (
    'data:image/jpeg;base64,' + base64.b64encode(content.getvalue()).decode()
  )
