"""`predict --server`: the scenes are those of a local model."""

import dataclasses
import json
import os
import re
import socket
import subprocess
import sys

import grpc
import numpy as np
import pytest
from PIL import Image

from mask2cad_tf import predict
from mask2cad_tf import serving
from mask2cad_tf.modeling import model_folder
from mask2cad_tf.retrieval import gallery as gallery_lib
from mask2cad_tf.serving import mask2cad_module
from mask2cad_tf.serving import served_module
from tests import bad_photos
from tests import command_runner
from tests import stand_in_server


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch):
  for name in ('no_proxy', 'NO_PROXY', 'no_grpc_proxy'):
    monkeypatch.setenv(name, '127.0.0.1')


@pytest.fixture(scope='module')
def stand_in(servable):
  with stand_in_server.serve(servable) as server:
    yield server


def _run(tiny_world, output, *arguments, photo=None):
  return command_runner.run(
    predict,
    f'--image={photo or tiny_world.photos[0]}',
    f'--model={tiny_world.model_dir}',
    f'--gallery={tiny_world.gallery_dir}',
    f'--output_dir={output}',
    '--min_score=0.1',
    *arguments,
  )


def _scene(folder):
  (name,) = os.listdir(folder)
  assert sorted(os.listdir(folder / name)) == [
    'overlay.png',
    'scene.glb',
    'scene.html',
    'scene.json',
  ]
  return json.loads((folder / name / 'scene.json').read_text())


def _assert_close(found, expected, where='scene'):
  """Equal but for the last digits of numbers."""
  if isinstance(expected, dict):
    assert set(found) == set(expected), where
    for key, value in expected.items():
      _assert_close(found[key], value, f'{where}.{key}')
  elif isinstance(expected, list):
    assert len(found) == len(expected), where
    for index, value in enumerate(expected):
      _assert_close(found[index], value, f'{where}[{index}]')
  elif isinstance(expected, float):
    np.testing.assert_allclose(found, expected, 2e-3, 2e-3, err_msg=where)
  else:
    assert found == expected, where


def _turned_jpeg(tiny_world, tmp_path):
  """A photo that lies on its side and says so in its EXIF."""
  path = tmp_path / 'turned.jpg'
  image = Image.open(tiny_world.photos[2]).convert('RGB')
  exif = Image.Exif()
  exif[0x0112] = 6
  image.transpose(Image.Transpose.ROTATE_90).save(path, exif=exif)
  return str(path)


@pytest.mark.parametrize('flag', ['--refine', '--norefine'])
@pytest.mark.parametrize('protocol', ['grpc', 'rest'])
def test_the_same_scene(
  stand_in, tiny_world, tmp_path, monkeypatch, protocol, flag
):
  photo = _turned_jpeg(tiny_world, tmp_path)
  # A closer look is for photos that are seen here.
  arguments = [flag, '--refine_seconds=0.3', '--focal_length_px=700']
  arguments.append('--nocloser_look')
  with monkeypatch.context() as patch:
    tiny_world.patch(patch)
    local = _run(tiny_world, tmp_path / 'local', *arguments, photo=photo)
    assert local.status == 0, local
  # The network is not built for a server.
  monkeypatch.setattr(model_folder, 'load', pytest.fail)
  monkeypatch.setattr(mask2cad_module, 'Mask2CADModule', pytest.fail)
  address = (
    f'grpc://{stand_in.grpc_address}/mask2cad'
    if protocol == 'grpc'
    else f'{stand_in.rest_address}/v1/models/mask2cad'
  )
  served = _run(
    tiny_world,
    tmp_path / 'served',
    *arguments,
    f'--server={address}',
    photo=photo,
  )
  assert served.status == 0, served
  expected, found = _scene(tmp_path / 'local'), _scene(tmp_path / 'served')
  assert found['model'].pop('server') == address
  assert expected['objects']
  _assert_close(found, expected)


def test_a_box_needs_a_local_model(stand_in, tiny_world, tmp_path):
  result = _run(
    tiny_world,
    tmp_path / 'out',
    '--box=4,22,362,228',
    f'--server={stand_in.grpc_address}',
  )
  assert '--box and --server exclude each other' in result.only_line
  assert not (tmp_path / 'out').exists()


def _refused(stand_in, tiny_world, tmp_path, gallery):
  folder = tmp_path / 'gallery'
  folder.mkdir()
  gallery_lib.write_index(str(folder), gallery)
  result = _run(
    tiny_world,
    tmp_path / 'out',
    '--norefine',
    f'--gallery={folder}',
    f'--server={stand_in.grpc_address}',
  )
  assert not (tmp_path / 'out').exists()
  return result.only_line


def test_cads_that_are_not_in_the_gallery_are_named(
  stand_in, tiny_world, tmp_path
):
  cads = tuple(
    dataclasses.replace(cad, id=f'{cad.id}-new')
    for cad in tiny_world.gallery.cads
  )
  gallery = dataclasses.replace(tiny_world.gallery, cads=cads)
  line = _refused(stand_in, tiny_world, tmp_path, gallery)
  assert re.search(
    "finds CADs that the gallery '.*gallery' does not hold: .* and . more. "
    'Give the gallery that the model was exported with: --gallery=G',
    line,
  ), line


def test_a_gallery_that_means_others_by_the_same_names_is_refused(
  stand_in, tiny_world, tmp_path
):
  gallery = dataclasses.replace(
    tiny_world.gallery, embeddings=-tiny_world.gallery.embeddings
  )
  line = _refused(stand_in, tiny_world, tmp_path, gallery)
  assert 'is not what the server at' in line


class _FixedClient:
  """Answers what it was given."""

  address = 'grpc://h:1/m'

  def __init__(self, outputs):
    self.outputs = outputs

  def infer(self, photos, intrinsics):
    assert len(photos) == 1 and intrinsics.shape == (1, 4)
    return dict(self.outputs)


@pytest.fixture
def answer(tiny_world):
  """Photo, and what the model says of it."""
  from mask2cad_tf.scene import photo as photo_lib

  photo = photo_lib.load(tiny_world.photos[0])
  outputs = tiny_world.module.predict(photo.image, photo.camera.intrinsics)
  return photo, {key: value.numpy() for key, value in outputs.items()}


def test_rows_are_the_local_gallerys(tiny_world, answer):
  photo, outputs = answer
  order = np.arange(len(tiny_world.gallery.cads))[::-1]
  gallery = dataclasses.replace(
    tiny_world.gallery,
    cads=tuple(tiny_world.gallery.cads[i] for i in order),
    **{
      name: getattr(tiny_world.gallery, name)[order]
      for name in ('embeddings', 'rotations', 'valid', 'silhouettes')
    },
  )
  module = served_module.ServedModule(
    _FixedClient(outputs), gallery, tiny_world.retrieval, top_k=2
  )
  found = module.predict(photo)
  there = outputs['detection_cads'][0]
  expected = np.where(there < 0, -1, len(order) - 1 - there)[:, :2]
  np.testing.assert_array_equal(found['detection_cads'], expected)
  assert found['detection_cads'].dtype == np.int32
  assert found['detection_cad_scores'].shape == (5, 2)


def test_another_model_is_told(tiny_world, answer):
  photo, outputs = answer
  del outputs['detection_outer_boxes'], outputs['detection_rotations']
  client = _FixedClient(outputs)
  module = served_module.ServedModule(
    client, tiny_world.gallery, tiny_world.retrieval, 5
  )
  with pytest.raises(
    ValueError, match='without detection_outer_boxes, detection_rotations'
  ):
    module.predict(photo)


def test_pasted_masks_are_refused(tiny_world, answer):
  photo, outputs = answer
  outputs['detection_masks'] = np.zeros((1, 5, 128, 128), np.uint8)
  client = _FixedClient(outputs)
  module = served_module.ServedModule(
    client, tiny_world.gallery, tiny_world.retrieval, 5
  )
  with pytest.raises(ValueError, match='RoI masks are needed'):
    module.predict(photo)


@pytest.mark.parametrize(
  ('key', 'change', 'message'),
  [
    ('detection_boxes', lambda x: x[..., :3], 'expected 1\\*N\\*4'),
    ('detection_scores', lambda x: x[:, 1:], 'expected 1\\*N'),
    ('detection_embeddings', lambda x: x[..., 1:], 'expected 1\\*N\\*E'),
    ('detection_rotations', lambda x: x[0], 'expected 1\\*N\\*4'),
    ('detection_centers', lambda x: x * np.nan, 'not finite'),
    ('detection_scores', lambda x: x.astype(str), 'expected 1\\*N'),
    ('num_detections', lambda x: x + 1000, '10.. of 5 detections'),
    ('num_detections', lambda x: x - 1000, 'of 5 detections'),
    ('detection_cad_ids', lambda x: np.full(x.shape, 3, object), 'are no text'),
  ],
)
def test_an_answer_of_other_shapes_is_refused(
  tiny_world, answer, key, change, message
):
  photo, outputs = answer
  outputs[key] = change(outputs[key])
  client = _FixedClient(outputs)
  module = served_module.ServedModule(
    client, tiny_world.gallery, tiny_world.retrieval, 5
  )
  with pytest.raises(ValueError, match=message):
    module.predict(photo)


def test_a_photo_that_the_server_refuses(stand_in, tiny_world, tmp_path):
  photo = tmp_path / 'tiny.jpg'
  photo.write_bytes(bad_photos.photo(4, 4))
  result = _run(
    tiny_world,
    tmp_path / 'out',
    '--norefine',
    f'--server={stand_in.rest_address}',
    photo=photo,
  )
  assert '4 x 4 pixels: too small' in result.only_line
  assert not (tmp_path / 'out').exists()


def test_a_server_that_breaks_or_is_slow_is_one_line(
  stand_in, tiny_world, tmp_path, monkeypatch
):
  arguments = ('--norefine', f'--server={stand_in.grpc_address}')
  stand_in.refusals.append(
    stand_in_server.Refusal(grpc.StatusCode.INTERNAL, 'out of order')
  )
  result = _run(tiny_world, tmp_path / 'out', *arguments)
  assert 'failed: INTERNAL: out of order' in result.only_line
  monkeypatch.setattr(stand_in, 'delay', 1.0)
  result = _run(
    tiny_world, tmp_path / 'out', *arguments, '--server_timeout=0.1'
  )
  assert 'did not answer within 0.1 seconds' in result.only_line
  assert not (tmp_path / 'out').exists()


def test_nobody_at_the_address(tiny_world, tmp_path):
  with socket.socket() as probe:
    probe.bind(('127.0.0.1', 0))
    address = f'http://127.0.0.1:{probe.getsockname()[1]}'
  result = _run(
    tiny_world, tmp_path / 'out', '--norefine', f'--server={address}'
  )
  assert f"No model server at '{address}/v1/models/mask2cad'" in (
    result.only_line
  )


@pytest.mark.parametrize(
  'arguments, message',
  [
    (['--server='], '--server missing'),
    (['--server=ftp://h'], "'ftp://h' is no address of a model server"),
    (
      ['--server=h:1', '--search=approximate'],
      '--search=approximate and --server exclude each other',
    ),
    (
      ['--server=h:1', '--closer_look'],
      '--closer_look and --server exclude each other',
    ),
    (['--server=h:1', '--server_timeout=0'], '--server_timeout=0'),
    (['--server=h:1', '--gallery=nowhere'], "No gallery at 'nowhere'"),
    (['--server=h:1', '--model=nowhere'], "params.yaml in 'nowhere'"),
  ],
)
def test_bad_flags(tiny_world, tmp_path, arguments, message):
  result = _run(tiny_world, tmp_path / 'out', *arguments)
  assert message in result.only_line
  assert not (tmp_path / 'out').exists()


def test_without_the_extra_it_says_how_to_install_it(
  tiny_world, tmp_path, monkeypatch
):
  monkeypatch.setitem(sys.modules, 'tensorflow_serving', None)
  for name in list(sys.modules):
    if name.startswith(('tensorflow_serving.', 'mask2cad_tf.serving.grpc')):
      monkeypatch.delitem(sys.modules, name)
  monkeypatch.delattr(serving, 'grpc_client', raising=False)
  result = _run(tiny_world, tmp_path / 'out', '--server=h:1', '--norefine')
  assert "pip install 'mask2cad-tf[serving]'" in result.only_line


def test_nothing_else_needs_the_extra():
  code = (
    'import sys; sys.modules["tensorflow_serving"] = None; '
    'import mask2cad_tf.predict; '
    'from mask2cad_tf.serving import mask2cad_module, served_module'
  )
  subprocess.run([sys.executable, '-c', code], check=True)
