"""tfrecords_tools/README.md's two walk-throughs, run line by line.

The commands are the README's own; only paths, counts and the network's size
are made small by the substitutions below.
"""

import importlib
import json
import os
import pathlib
import re
import shlex
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from mask2cad_tf.geometry import meshes
from mask2cad_tf.geometry import renderer
from mask2cad_tf.geometry.furniture import catalogue
from tests import command_runner
from tests import toy

_ROOT = pathlib.Path(__file__).parents[2]
_README = (_ROOT / 'tfrecords_tools' / 'README.md').read_text()
_SMALLER = (
  ('--num_images=10000', '--num_images=6 --image_size=128'),
  ('--num_images=500', '--num_images=2 --image_size=128'),
  ('--experiment=mask2cad_lite', '--experiment=mask2cad_tiny'),
  (
    "--params_override='",
    "--params_override='trainer.train_steps=2,trainer.validation_steps=1,"
    'trainer.steps_per_loop=1,trainer.validation_interval=2,'
    'trainer.checkpoint_interval=2,trainer.summary_interval=2,'
    'task.model.shapemask.num_priors=3,'
    'task.model.pose.rotation_frame=allocentric,',
  ),
  ('build_shape_priors ', 'build_shape_priors --num_priors=3 '),
)


def _section(title):
  """Text of a '## ' section."""
  return _README.split(f'## {title}')[1].split('\n## ')[0]


def _blocks(section, language):
  return re.findall(rf'```{language}\n(.*?)```', section, re.DOTALL)


def _commands(block):
  """The block's command lines, continuation lines joined."""
  joined = block.replace('\\\n', ' ')
  for long, short in _SMALLER:
    joined = joined.replace(long, short)
  return [x for x in joined.splitlines() if x.strip() and x[0] != '#']


def _run(command, folder):
  words = shlex.split(command)
  assert words[0] == 'python'
  if words[1] == '-m' and words[2] != 'mask2cad_tf.train':
    # Here, since every process starts TensorFlow anew; training is once in one.
    result = command_runner.run(importlib.import_module(words[2]), *words[3:])
    assert result.status == 0, f'{command}\n{result.stderr}'
    return
  environment = {
    **os.environ,
    'PYTHONPATH': str(_ROOT),
    'OMP_NUM_THREADS': '1',
    'TF_CPP_MIN_LOG_LEVEL': '3',
  }
  done = subprocess.run(
    [sys.executable, *words[1:]],
    cwd=folder,
    env=environment,
    stdout=subprocess.PIPE,
    stderr=subprocess.STDOUT,
    text=True,
    check=False,
  )
  assert done.returncode == 0, f'{command}\n{done.stdout[-3000:]}'


@pytest.fixture
def folder(tmp_path, monkeypatch):
  """A user's folder with six CADs, where the commands run."""
  monkeypatch.chdir(tmp_path)
  cads = ('chair', 'table')
  entries = [x for x in catalogue.entries() if x.label_name in cads]
  chosen = entries[:3] + entries[-3:]
  assert {x.label_name for x in chosen} == set(cads)
  for entry in chosen:
    path = tmp_path / 'my_cads' / entry.cad_id / 'model.glb'
    path.parent.mkdir(parents=True)
    entry.builder().export(path)
  return tmp_path


def test_train_on_your_own_cads(folder):
  photo = os.path.join(toy.wheel_pix3d(), 'img', 'bed')
  photo = os.path.join(photo, sorted(os.listdir(photo))[0])
  Image.open(photo).convert('RGB').resize((320, 240)).save(folder / 'photo.jpg')
  [block] = _blocks(
    _section('Train on your own CADs, without a single annotated photo'), 'bash'
  )
  for command in _commands(block):
    _run(command, folder)
  own = folder / 'runs' / 'own'
  assert (own / 'library' / 'contact_sheet.png').exists()
  assert (own / 'train' / 'preview.png').exists()
  assert json.loads((own / 'doctor' / 'verdict.json').read_text())['ok']
  scene = json.loads((own / 'scene' / 'photo' / 'scene.json').read_text())
  assert scene['image']['width'] == 320


def test_add_your_dataset(folder):
  section = _section('Add your dataset')
  [script] = _blocks(section, 'python')
  (folder / 'my_dataset.py').write_text(script)
  _write_photos(folder / 'my_photos', folder / 'my_cads')
  [block] = _blocks(section, 'bash')
  for command in _commands(block):
    _run(command, folder)
  mine = folder / 'runs' / 'mine'
  manifest = json.loads((mine / 'train' / 'manifest.json').read_text())
  assert manifest['records']['images']['num_examples'] == 3
  verdict = json.loads((mine / 'doctor' / 'verdict.json').read_text())
  assert verdict['ok'] and verdict['checked'] == 3


def _write_photos(root, library):
  """Three photos of one CAD each, as the README's JSON describes them."""
  root.mkdir()
  photos = []
  intrinsics = (200.0, 200.0, 80.0, 60.0)
  for index, path in enumerate(sorted(library.glob('*/*/model.glb'))[:3]):
    mesh = path.relative_to(library)
    angle = 0.4 + index
    cos, sin = np.cos(angle), np.sin(angle)
    rotation = np.array([[cos, 0.0, sin], [0.0, 1.0, 0.0], [-sin, 0.0, cos]])
    translation = [0.1, -0.05, 3.0]
    image = renderer.Renderer(meshes.load(str(path))).render(
      rotation, translation, intrinsics, 120, 160
    )
    grey = np.round(255 * image.shaded).astype(np.uint8)
    Image.fromarray(grey).convert('RGB').save(root / f'{index}.jpg')
    Image.fromarray(image.mask.astype(np.uint8) * 255).save(
      root / f'{index}_0.png'
    )
    photos.append(
      {
        'image': f'{index}.jpg',
        'intrinsics': intrinsics,
        'objects': [
          {
            'class': mesh.parts[0],
            'cad': '/'.join(mesh.parts[:2]),
            'mesh': str(mesh),
            'mask': f'{index}_0.png',
            'rotation': rotation.tolist(),
            'translation': translation,
          }
        ],
      }
    )
  (root / 'photos.json').write_text(json.dumps(photos))
