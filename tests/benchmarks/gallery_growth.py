"""Adds CADs to an exported model: how long, is anything else touched, found?

  python -m tests.benchmarks.gallery_growth --library=LIB --work_dir=DIR

LIB is of tfrecords_tools.cad_library, for example Sweet Home 3D's. Exports the
model (the package's by default), adds --num_cads CADs of LIB by the command
line, looks for them in synthetic photos of them, and removes them again. Each
answer is a fresh process's. DIR must be new or empty; it receives report.json.
"""

import hashlib
import json
import os
import subprocess
import sys
import time

import numpy as np
import tensorflow as tf
from absl import app
from absl import flags

from mask2cad_tf.data import record_files
from mask2cad_tf.data import schema
from mask2cad_tf.geometry import box_overlap
from mask2cad_tf.geometry import cad_folder
from tests.benchmarks import work_folder

_LIBRARY = flags.DEFINE_string('library', None, 'Folder <class>/<shape>/*.')
_WORK_DIR = flags.DEFINE_string('work_dir', None, 'New or empty folder.')
_MODEL = flags.DEFINE_string('model', None, "Default: the package's.")
_GALLERY = flags.DEFINE_string('gallery', None, "Default: the model's own.")
_NUM_CADS = flags.DEFINE_integer('num_cads', 100, 'CADs added.')
_NUM_PHOTOS = flags.DEFINE_integer('num_photos', 60, 'Synthetic photos.')

_OWN = ('assets/gallery.example', 'assets.extra/gallery/')
_FOUND = 0.5  # least IoU of a detection with a true box

# Writes the answers of a SavedModel to photos.
_SERVE = """
import sys
import numpy as np
import tensorflow as tf
folder, output, *photos = sys.argv[1:]
serve = tf.saved_model.load(folder)
answers = {}
for index, path in enumerate(photos):
  outputs = serve.signatures['serving_default'](
      image_bytes=tf.constant([tf.io.read_file(path).numpy()]))
  for key, value in outputs.items():
    value = value.numpy()[0]
    answers[f'{index}/{key}'] = (
        value.astype(bytes) if value.dtype == object else value)
np.savez(output, **answers)
"""


def main(_):
  work_dir = _WORK_DIR.value
  work_folder.claim(work_dir)
  saved_model = os.path.join(work_dir, 'saved_model')
  given = {'model': _MODEL.value, 'gallery': _GALLERY.value}
  _run(
    'mask2cad_tf.export',
    f'--export_dir={saved_model}',
    '--min_score=0',
    *(f'--{name}={value}' for name, value in given.items() if value),
  )
  cad_ids = _some_cads()
  photos, truth = _photos(cad_ids)

  network = _hashes(saved_model)
  before = _serve(saved_model, photos, 'before')
  seconds = _run(
    'mask2cad_tf.gallery',
    'add',
    f'--saved_model={saved_model}',
    f'--library={_LIBRARY.value}',
    f'--cad_list={work_dir}/cads.json:added',
  )
  _run('mask2cad_tf.gallery', 'verify', f'--saved_model={saved_model}')
  untouched = _hashes(saved_model) == network
  grown = _serve(saved_model, photos, 'grown')
  _run(
    'mask2cad_tf.gallery',
    'remove',
    f'--saved_model={saved_model}',
    f'--cad_id={",".join(cad_ids)}',
  )
  after = _serve(saved_model, photos, 'after')
  report = {
    'cads_added': len(cad_ids),
    'seconds': round(seconds, 1),
    'network_files': len(network),
    'network_untouched': untouched,
    'removal_brings_back_every_bit': _equal(before, after),
    **_found(grown, truth),
  }
  with open(os.path.join(work_dir, 'report.json'), 'w') as file:
    json.dump(report, file, indent=1)
  print(json.dumps(report, indent=1))


def _run(module, *arguments):
  """Seconds of a command, which must do its job."""
  start = time.monotonic()
  subprocess.run([sys.executable, '-m', module, *arguments], check=True)
  return time.monotonic() - start


def _some_cads():
  """Ids evenly from the library; links them to a library of their own."""
  entries = cad_folder.list_cads(_LIBRARY.value)
  count = min(_NUM_CADS.value, len(entries))
  picks = np.linspace(0, len(entries) - 1, count).round().astype(int)
  cad_ids = [entries[pick].cad_id for pick in picks]
  with open(os.path.join(_WORK_DIR.value, 'cads.json'), 'w') as file:
    json.dump({'added': cad_ids}, file)
  for cad_id in cad_ids:
    link = os.path.join(_WORK_DIR.value, 'added', cad_id)
    os.makedirs(os.path.dirname(link), exist_ok=True)
    os.symlink(os.path.abspath(os.path.join(_LIBRARY.value, cad_id)), link)
  return cad_ids


def _photos(cad_ids):
  """Paths of synthetic photos; their objects (box in pixels, label, CAD id)."""
  records = os.path.join(_WORK_DIR.value, 'photos')
  _run(
    'tfrecords_tools.synthesize',
    f'--library={_WORK_DIR.value}/added',
    f'--output_dir={records}',
    f'--num_images={_NUM_PHOTOS.value}',
    '--renderer=fast',
  )
  paths, truth = [], []
  for content in record_files.read(
    record_files.match(os.path.join(records, 'images.tfrecord-*'))
  ):
    features = tf.train.Example.FromString(content).features.feature
    paths.append(os.path.join(records, f'{len(paths)}.jpg'))
    with open(paths[-1], 'wb') as file:
      file.write(features[schema.IMAGE_ENCODED].bytes_list.value[0])
    size = [
      features[key].int64_list.value[0]
      for key in (schema.IMAGE_HEIGHT, schema.IMAGE_WIDTH)
    ]
    edges = (schema.BOX_YMIN, schema.BOX_XMIN, schema.BOX_YMAX, schema.BOX_XMAX)
    boxes = np.stack([features[key].float_list.value for key in edges], axis=1)
    truth.append(
      [
        (box, label, cad_id)
        for box, label, cad_id in zip(
          boxes * np.array([*size, *size]),
          features[schema.CLASS_LABEL].int64_list.value,
          features[schema.CAD_ID].bytes_list.value,
        )
      ]
    )
  assert {cad_id.decode() for o in truth for *_, cad_id in o} <= set(cad_ids)
  return paths, truth


def _serve(saved_model, photos, name):
  output = os.path.join(_WORK_DIR.value, f'{name}.npz')
  subprocess.run(
    [sys.executable, '-c', _SERVE, saved_model, output, *photos], check=True
  )
  with np.load(output) as answers:
    return dict(answers)


def _hashes(saved_model):
  """Of all files but the gallery's own."""
  hashes = {}
  for folder, _, names in os.walk(saved_model):
    for name in names:
      path = os.path.join(folder, name)
      inside = os.path.relpath(path, saved_model)
      if not inside.startswith(_OWN):
        with open(path, 'rb') as file:
          hashes[inside] = hashlib.sha256(file.read()).hexdigest()
  return hashes


def _equal(one, other):
  return one.keys() == other.keys() and all(
    value.tobytes() == other[key].tobytes() for key, value in one.items()
  )


def _found(answers, truth):
  """How often an object that is detected gets its own CAD."""
  objects = detected = first = among = 0
  for index, true_objects in enumerate(truth):
    boxes, classes, cad_ids = (
      answers[f'{index}/detection_{key}']
      for key in ('boxes', 'classes', 'cad_ids')
    )
    for box, label, cad_id in true_objects:
      objects += 1
      overlaps = box_overlap.box_iou(box[np.newaxis], boxes)[0]
      overlaps = np.where(classes == label, overlaps, 0.0)
      best = int(overlaps.argmax())
      if overlaps[best] >= _FOUND:
        detected += 1
        first += int(cad_ids[best, 0] == cad_id)
        among += int(cad_id in cad_ids[best])
  return {
    'objects': objects,
    'detected_with_their_class': detected,
    'own_cad_first': first,
    'own_cad_among_top_k': among,
  }


if __name__ == '__main__':
  flags.mark_flags_as_required(['library', 'work_dir'])
  app.run(main)
