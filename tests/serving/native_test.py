"""The runtime without Python: what it prints, what it refuses."""

import os
import pathlib
import shutil
import subprocess

import numpy as np
import pytest
import tensorflow as tf
from tensorflow.core.protobuf import saved_model_pb2

from tests import native_runtime

_CAMERA = (500.0, 510.0, 200.0, 100.0)


@pytest.fixture(scope='module', autouse=True)
def program():
  native_runtime.build()


@pytest.fixture(scope='module')
def saved_model(tiny_world, tmp_path_factory):
  folder = str(tmp_path_factory.mktemp('export') / 'saved_model')
  module = tiny_world.module
  tf.saved_model.save(module, folder, signatures=module.signatures())
  return folder


def test_no_python_is_linked():
  linked = subprocess.run(
    ['ldd', native_runtime.BINARY], capture_output=True, text=True, check=True
  ).stdout
  assert 'libtensorflow_cc.so.2 => ' in linked
  assert 'libpython' not in linked
  assert 'not found' not in linked


def test_one_line_a_photo_with_the_models_answer(
  saved_model, tiny_world, tmp_path
):
  odd_path = str(tmp_path / 'a "b" \\ \t é.png')
  shutil.copy(tiny_world.photos[0], odd_path)
  paths = [odd_path, *tiny_world.photos[1:]]
  answers = native_runtime.run(f'--model={saved_model}', *paths).answers
  assert [answer.pop('image') for answer in answers] == paths
  _assert_equal(answers, tiny_world.module.serve(_read(paths)))


@pytest.mark.parametrize('times', [1, 3])
def test_intrinsics_once_or_for_each_photo(saved_model, tiny_world, times):
  cameras = [[*_CAMERA[:2], 200.0 + i, 100.0] for i in range(times)]
  answers = native_runtime.run(
    f'--model={saved_model}',
    *[f'--intrinsics={",".join(map(str, camera))}' for camera in cameras],
    *tiny_world.photos,
  ).answers
  cameras = np.array(cameras * (3 // times), np.float32)
  np.testing.assert_array_equal([a['intrinsics'] for a in answers], cameras)
  _assert_equal(
    answers,
    tiny_world.module.serve_with_intrinsics(_read(tiny_world.photos), cameras),
  )


def test_help():
  result = native_runtime.run('--help')
  assert (result.status, result.stderr) == (0, '')
  assert '--model=DIR' in result.stdout


@pytest.mark.parametrize(
  'arguments, message',
  [
    (['photo.png'], '--model missing'),
    (['--model=M'], 'No photo given'),
    (['--model=M', '--top_k=3', 'photo.png'], 'Unknown flag --top_k=3'),
    (['--model=M', '--intrinsics=1,2,3', 'photo.png'], 'four numbers'),
    (['--model=M', '--intrinsics=1,2,3,x', 'photo.png'], 'four numbers'),
    (['--model=M', '--intrinsics=nan,2,3,4', 'photo.png'], 'four numbers'),
    (['--model=M', '--intrinsics=0,2,3,4', 'photo.png'], 'fx and fy above 0'),
    (
      ['--model=M', *['--intrinsics=1,1,1,1'] * 2, 'a.png', 'b.png', 'c.png'],
      '2 --intrinsics for 3 photos',
    ),
    (['--model=M', 'nowhere.png'], "No photo at 'nowhere.png'"),
    (['--model=M', '/tmp'], "No photo at '/tmp'"),
  ],
)
def test_bad_words_are_named(arguments, message):
  line = native_runtime.run(*arguments).only_line
  assert line.startswith('mask2cad_native: ')
  assert message in line


@pytest.mark.parametrize(
  'content, message',
  [
    (b'', 'image_bytes[0]: no bytes. Send a JPEG or PNG'),
    (b'a shopping list', 'image_bytes[0]: 15 bytes that are neither'),
    ('cut', 'Invalid PNG data'),
  ],
)
def test_an_unreadable_photo_is_named(
  saved_model, tiny_world, tmp_path, content, message
):
  if content == 'cut':
    content = pathlib.Path(tiny_world.photos[0]).read_bytes()[:3000]
  (tmp_path / 'bad.png').write_bytes(content)
  line = native_runtime.run(
    f'--model={saved_model}', tiny_world.photos[0], tmp_path / 'bad.png'
  ).only_line
  assert f"Cannot use the photo '{tmp_path}/bad.png': {message}" in line


def test_a_missing_model(tiny_world, tmp_path):
  line = native_runtime.run(f'--model={tmp_path}', tiny_world.photos[0])
  assert f"No saved_model.pb in '{tmp_path}'" in line.only_line


@pytest.mark.parametrize('path', ['saved_model.pb', 'variables'])
def test_a_damaged_model(saved_model, tiny_world, tmp_path, path):
  folder = shutil.copytree(saved_model, tmp_path / 'damaged')
  if path == 'variables':
    (path,) = (folder / 'variables').glob('*.data*')
  os.truncate(folder / path, 2 * os.path.getsize(folder / path) // 3)
  line = native_runtime.run(f'--model={folder}', tiny_world.photos[0]).only_line
  assert f"Cannot load the SavedModel '{folder}': " in line


@pytest.mark.parametrize('place', ['graph', 'function'])
def test_an_unknown_op_is_rejected(saved_model, tiny_world, tmp_path, place):
  # TensorFlow's own loader looks at the graph alone; the network is in
  # functions.
  folder = shutil.copytree(saved_model, tmp_path / 'unknown')
  proto = saved_model_pb2.SavedModel.FromString(
    (folder / 'saved_model.pb').read_bytes()
  )
  graph = proto.meta_graphs[0].graph_def
  nodes = (
    graph.node
    if place == 'graph'
    else [node for f in graph.library.function for node in f.node_def]
  )
  op = 'VarHandleOp' if place == 'graph' else 'TopKV2'
  next(node for node in nodes if node.op == op).op = 'FromAnotherLibrary'
  (folder / 'saved_model.pb').write_bytes(proto.SerializeToString())
  line = native_runtime.run(f'--model={folder}', tiny_world.photos[0]).only_line
  assert line.endswith('ops that this TensorFlow lacks: FromAnotherLibrary')


def _through_python(image_bytes):
  return {'length': tf.numpy_function(len, [image_bytes], tf.int64)}


def _other_outputs(image_bytes):
  return {'num_detections': tf.cast(tf.strings.length(image_bytes), tf.int64)}


@pytest.mark.parametrize(
  'function, signature, message',
  [
    (_through_python, 'serving_default', 'TensorFlow lacks: PyFunc'),
    (_other_outputs, 'classify', 'no signature serving_default'),
    (_other_outputs, 'serving_default', 'no float tensor detection_boxes'),
  ],
)
def test_a_stranger_is_refused(
  tiny_world, tmp_path, function, signature, message
):
  module = tf.Module()
  module.serve = tf.function(
    function, [tf.TensorSpec([None], tf.string, 'image_bytes')]
  )
  tf.saved_model.save(
    module, str(tmp_path), signatures={signature: module.serve}
  )
  line = native_runtime.run(f'--model={tmp_path}', tiny_world.photos[0])
  assert message in line.only_line


def _read(paths):
  return tf.constant([pathlib.Path(path).read_bytes() for path in paths])


def _assert_equal(answers, outputs):
  """Each answer is the outputs' row, cut to its detections."""
  outputs = {key: value.numpy() for key, value in outputs.items()}
  assert len(answers) == len(outputs['num_detections'])
  for i, answer in enumerate(answers):
    count = outputs['num_detections'][i]
    assert answer['num_detections'] == count > 0
    assert answer['detection_cad_ids'] == [
      [cad_id.decode() for cad_id in row]
      for row in outputs['detection_cad_ids'][i, :count]
    ]
    for name in ('boxes', 'classes', 'scores', 'cad_scores', 'centers'):
      np.testing.assert_allclose(
        answer[f'detection_{name}'],
        outputs[f'detection_{name}'][i, :count],
        rtol=1e-3,
        atol=1e-2,
      )
    np.testing.assert_allclose(
      answer['detection_rotations'],
      outputs['detection_rotations'][i, :count],
      atol=1e-3,
    )
