"""What all commands do alike: help, one line on bad input, exit status."""

import importlib
from unittest import mock

import pytest

from mask2cad_tf import command_line
from tests import command_runner

_COMMANDS = (
  'mask2cad_tf.cache_features',
  'mask2cad_tf.demo',
  'mask2cad_tf.evaluate',
  'mask2cad_tf.export',
  'mask2cad_tf.gallery',
  'mask2cad_tf.pack',
  'mask2cad_tf.predict',
  'mask2cad_tf.train_lite',
  'tfrecords_tools.build_pose_medoids',
  'tfrecords_tools.build_shape_priors',
  'tfrecords_tools.cad_library',
  'tfrecords_tools.coco',
  'tfrecords_tools.doctor',
  'tfrecords_tools.mini_scannet',
  'tfrecords_tools.pix3d',
  'tfrecords_tools.render_views',
  'tfrecords_tools.scan2cad',
  'tfrecords_tools.synthesize',
)


@pytest.fixture(params=_COMMANDS)
def command(request):
  return importlib.import_module(request.param)


def test_help_shows_an_example_and_every_flag(command):
  result = command_runner.run(command, '--help')
  assert result.status == 0
  assert f'python -m {command.__name__} ' in result.stdout
  for flag in command.FLAGS:
    assert f'--{flag}' in result.stdout or f'--[no]{flag}' in result.stdout


@pytest.mark.parametrize('arguments', [('--no_such_flag=1',), ('stray',)])
def test_bad_flags_are_one_line(command, arguments):
  line = command_runner.run(command, *arguments).only_line
  assert line.startswith(f'{command.__name__}: ')


def test_defects_of_ours_keep_their_traceback():
  def defect(argv):
    raise TypeError(argv)

  with mock.patch('sys.argv', ['x']), pytest.raises(TypeError):
    command_line.run('x', defect, importlib.import_module(_COMMANDS[0]).FLAGS)
