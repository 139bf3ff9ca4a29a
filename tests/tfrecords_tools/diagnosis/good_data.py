"""Photos of two CADs each, rendered, and a place to plant faults in them."""

import dataclasses
import functools
import io
import os

import numpy as np
import tensorflow as tf
from PIL import Image

from mask2cad_tf.data import schema
from mask2cad_tf.geometry import meshes
from mask2cad_tf.geometry import renderer
from mask2cad_tf.geometry import views
from mask2cad_tf.geometry.furniture import catalogue
from tfrecords_tools import record_examples
from tfrecords_tools import record_writer

CLASS_NAMES = ('chair', 'desk', 'sofa')
NUM_PHOTOS = 8
HEIGHT, WIDTH = 120, 160
INTRINSICS = (150.0, 150.0, 86.0, 55.0)
_CADS_OF_CLASS = 3


@dataclasses.dataclass
class Photo:
  """What a record is made of; faults change it."""

  name: str
  encoded: bytes
  intrinsics: tuple
  objects: list


def cad_ids():
  """Three CADs of each class, none with a half turn's symmetry."""
  chosen = []
  for name in CLASS_NAMES:
    entries = [x for x in catalogue.entries() if x.label_name == name]
    step = len(entries) // _CADS_OF_CLASS
    chosen += [x.cad_id for x in entries[::step][:_CADS_OF_CLASS]]
  return chosen


def write_library(root):
  """The CADs, as <root>/<cad_id>/model.ply."""
  for cad_id in cad_ids():
    os.makedirs(os.path.join(root, cad_id))
    mesh = catalogue.build(cad_id)
    mesh.export(os.path.join(root, cad_id, 'model.ply'))
  return str(root)


@functools.cache
def _drawer(path):
  return renderer.Renderer(meshes.load(path))


def look(turn, tilt=-0.35):
  """Rotation [3, 3]: turned about the up axis, seen from above; radians."""
  cos, sin = np.cos(turn), np.sin(turn)
  around = np.array([[cos, 0, sin], [0, 1, 0], [-sin, 0, cos]])
  cos, sin = np.cos(tilt), np.sin(tilt)
  return np.array([[1, 0, 0], [0, cos, -sin], [0, sin, cos]]) @ around


def photos(library, with_amodal=True, count=NUM_PHOTOS):
  """Good photos: two CADs, the second partly behind the first."""
  return [_photo(library, index, with_amodal) for index in range(count)]


def _photo(library, index, with_amodal):
  rng = np.random.default_rng(index)
  ids = cad_ids()
  placed = []
  for place in range(2):
    cad_id = ids[(2 * index + 5 * place) % len(ids)]
    turn = np.pi + rng.uniform(0.4, 0.9) * (-1) ** (index + place)
    translation = np.array(
      [0.75 * (1 - 2 * place) + rng.uniform(-0.1, 0.1), 0.0, 3.2 + place]
    )
    placed.append((cad_id, look(turn), translation))
  drawn = [
    _drawer(os.path.join(library, cad_id, 'model.ply')).render(
      rotation, translation, INTRINSICS, HEIGHT, WIDTH
    )
    for cad_id, rotation, translation in placed
  ]
  depths = [
    _drawer(os.path.join(library, cad_id, 'model.ply')).depth(
      rotation, translation, INTRINSICS, HEIGHT, WIDTH
    )
    for cad_id, rotation, translation in placed
  ]
  image = np.tile(
    np.linspace(60 + 10 * index, 160, WIDTH)[None, :, None], (HEIGHT, 1, 3)
  )
  image[20 * (index % 5) : 20 * (index % 5) + 12] *= 0.6
  for one in reversed(drawn):
    color = rng.uniform(100, 250, 3)
    image[one.mask] = one.shaded[one.mask, None] * color
  objects = [
    _record(
      *placed[i],
      visible=np.isfinite(depths[i]) & (depths[i] < depths[1 - i]),
      amodal=np.isfinite(depths[i]) if with_amodal else None,
    )
    for i in range(2)
  ]
  encoded = views.encode_png(image.astype(np.uint8))
  return Photo(f'rooms/{index}.png', encoded, INTRINSICS, objects)


def _record(cad_id, rotation, translation, visible, amodal):
  rows, columns = np.nonzero(visible)
  label_name = cad_id.split('/')[0]
  return record_examples.ObjectRecord(
    label=1 + CLASS_NAMES.index(label_name),
    label_name=label_name,
    box=(rows.min(), columns.min(), rows.max() + 1, columns.max() + 1),
    mask=visible,
    cad_id=cad_id,
    mesh=f'{cad_id}/model.ply',
    rotation=rotation,
    translation=translation,
    jittered_view=views.encode_png(np.zeros((128, 128), np.uint8)),
    amodal_mask=amodal,
    occluded_share=None
    if amodal is None
    else float(1 - visible.sum() / amodal.sum()),
  )


def write(folder, library, made, edit=None):
  """Writes records; edit(index, example) may damage the finished example.

  Returns:
    Their glob.
  """
  settings = {'library': library, 'class_names': list(CLASS_NAMES)}
  with record_writer.RecordWriter(str(folder), 'images', 2, settings) as writer:
    for index, photo in enumerate(made):
      example = record_examples.image_example(
        photo.encoded, photo.name, index, photo.intrinsics, photo.objects
      )
      if edit:
        edit(index, example)
      writer.write(example)
  return os.path.join(str(folder), 'images.tfrecord*')


def set_bytes(example: tf.train.Example, key: str, value: bytes):
  """Replaces the photo's bytes."""
  assert key == schema.IMAGE_ENCODED
  example.features.feature[key].bytes_list.value[0] = value


def jpeg(encoded, size=None, quality=60):
  """A photo once more, as JPEG, perhaps of another size (width, height)."""
  image = Image.open(io.BytesIO(encoded)).convert('RGB')
  buffer = io.BytesIO()
  (image.resize(size) if size else image).save(
    buffer, format='JPEG', quality=quality
  )
  return buffer.getvalue()
