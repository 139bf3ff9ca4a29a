"""Small hand-made furniture catalogues."""

import io
import zipfile

import numpy as np
from PIL import Image

PLUGIN = 'PluginFurnitureCatalog.properties'
DEFAULT = 'com/eteks/sweethome3d/io/DefaultFurnitureCatalog.properties'

# A chair in centimetres of no matter: seat 4 x 1 x 4, back at -z, and a knob
# at the seat's front right corner (+x, +z). Box: x 0..4, y 0..6, z 0..4.
_BOXES = {
  'seat': ((0, 0, 0), (4, 1, 4)),
  'back': ((0, 1, 0), (4, 6, 1)),
  'knob': ((3, 1, 3), (4, 2, 4)),
}
CHAIR_MTL = (
  b'newmtl seat\nKd 1 0 0\nnewmtl back\nKd 0 1 0\nnewmtl knob\nKd 0 0 1\n'
)


def box(low, high, first=1):
  """OBJ lines of a box whose vertices are numbered from `first`."""
  corners = [
    [(low, high)[i >> axis & 1][axis] for axis in range(3)] for i in range(8)
  ]
  quads = (
    (0, 2, 3, 1),
    (4, 5, 7, 6),
    (0, 1, 5, 4),
    (2, 6, 7, 3),
    (0, 4, 6, 2),
    (1, 3, 7, 5),
  )
  lines = ['v ' + ' '.join(str(float(x)) for x in c) for c in corners]
  lines += ['f ' + ' '.join(str(first + i) for i in quad) for quad in quads]
  return '\n'.join(lines) + '\n'


def chair_obj(materials='chair.mtl'):
  """The chair above, a material a box."""
  text = f'mtllib {materials}\n' if materials else ''
  for number, (name, (low, high)) in enumerate(_BOXES.items()):
    text += f'usemtl {name}\n' + box(low, high, 1 + 8 * number)
  return text.encode()


def properties(entries, **head):
  """A catalogue's file; entries are dicts of fields."""
  head = {'license': 'CC-BY 3.0', 'provider': 'www.example.org', **head}
  lines = ['# toy'] + [f'{key}={value}' for key, value in head.items()]
  for number, entry in enumerate(entries, start=1):
    lines += [f'{key}#{number}={value}' for key, value in entry.items()]
  return '\n'.join(lines).encode('latin-1')


def entry(**fields):
  """A chair's entry, 40 x 60 x 50 cm (width, height, depth)."""
  return {
    'id': 'toy#chair',
    'name': 'Oak chair',
    'category': 'Living room',
    'model': '/models/chair/chair.obj',
    'width': '40',
    'depth': '50',
    'height': '60',
    'doorOrWindow': 'false',
    'creator': 'Ann',
    **fields,
  }


def write(path, entries, members=None, catalogue=PLUGIN, **head):
  """A .sh3f or jar; the chair's files and others by their path in it."""
  members = {
    catalogue: properties(entries, **head),
    'models/chair/chair.obj': chair_obj(),
    'models/chair/chair.mtl': CHAIR_MTL,
    **(members or {}),
  }
  with zipfile.ZipFile(path, 'w') as archive:
    for name, data in members.items():
      archive.writestr(name, data)
  return str(path)


def png(color, size=(4, 4)):
  """Bytes of a picture of one colour, RGB or RGBA."""
  mode = 'RGB' if len(color) == 3 else 'RGBA'
  buffer = io.BytesIO()
  Image.new(mode, size, color).save(buffer, format='PNG')
  return buffer.getvalue()


def srgb_to_linear(value):
  """0..1, by the standard's formula."""
  if value <= 0.04045:
    return value / 12.92
  return ((value + 0.055) / 1.055) ** 2.4


def centers(mesh, faces_per_box=12):
  """Middle of the box of each run of faces, [n, 3]."""
  triangles = np.asarray(mesh.triangles).reshape(-1, faces_per_box * 3, 3)
  return 0.5 * (triangles.min(axis=1) + triangles.max(axis=1))
