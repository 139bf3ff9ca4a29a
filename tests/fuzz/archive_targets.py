"""Catalogues of CADs: .sh3f archives, what is in them, Java properties."""

import io
import os
import tempfile
import zipfile

from tests.fuzz import target
from tests.tfrecords_tools.cad_sources import toy_catalogues
from tfrecords_tools.cad_sources import sweethome3d


def _write_all(path):
  for cad in sweethome3d.list_models([path]).cads:
    with tempfile.TemporaryDirectory(dir=target.folder()) as folder:
      cad.write(folder)


def _archive():
  path = os.path.join(target.folder(), 'seed.sh3f')
  inner = io.BytesIO()
  with zipfile.ZipFile(inner, 'w') as archive:
    archive.writestr('chair.obj', toy_catalogues.chair_obj(''))
  toy_catalogues.write(
    path,
    [
      toy_catalogues.entry(),
      toy_catalogues.entry(id='toy#zipped', model='/models/chair.zip'),
    ],
    {'models/chair.zip': inner.getvalue()},
  )
  with open(path, 'rb') as file:
    return (file.read(),)


def _read_catalogue(data):
  path = os.path.join(target.folder(), 'catalogue.sh3f')
  with zipfile.ZipFile(path, 'w') as archive:
    archive.writestr(toy_catalogues.PLUGIN, data)
    archive.writestr('models/chair/chair.obj', toy_catalogues.chair_obj(''))
  _list(path)


def _list(path):
  listing = sweethome3d.list_models([path])
  for cad in (*listing.cads, *listing.clutter):
    assert cad.cad_id.count('/') == 1 and '..' not in cad.cad_id


TARGETS = (
  target.Target(
    'archive',
    "Sweet Home 3D's .sh3f or jar, its CADs read and written",
    target.in_file('foreign.sh3f', _write_all),
    _archive,
    allowed=(ValueError, sweethome3d.meshes.MeshError),
  ),
  target.Target(
    'catalogue',
    'the catalogue inside such an archive',
    _read_catalogue,
    lambda: (
      toy_catalogues.properties(
        [toy_catalogues.entry(), toy_catalogues.entry(name='Lamp')]
      ),
    ),
  ),
)
