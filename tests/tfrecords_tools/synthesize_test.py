import json

import pytest

from mask2cad_tf.data import record_files
from mask2cad_tf.geometry.furniture import catalogue
from tests import command_runner
from tfrecords_tools import record_writer
from tfrecords_tools import synthesize


@pytest.fixture(name='library', scope='module')
def _library(tmp_path_factory):
  library = str(tmp_path_factory.mktemp('library'))
  catalogue.write_library(library, class_names=['chair', 'table'])
  return library


def _run(library, output, *arguments):
  return command_runner.run(
    synthesize,
    f'--library={library}',
    f'--output_dir={output}',
    '--num_images=4',
    '--image_size=96',
    '--num_shards=2',
    *arguments,
  )


def test_command_line(library, tmp_path):
  result = _run(library, tmp_path / 'one', '--num_processes=1', '--seed=3')
  assert result.status == 0, result
  assert 'one: 4 photos' in result.stdout
  assert 'images/s' in result.stdout and 'CPU-s per image' in result.stdout
  assert record_writer.verify(f'{tmp_path}/one/images*') == 4
  manifest = json.loads((tmp_path / 'one' / 'manifest.json').read_text())
  section = manifest['records']['images']
  assert section['settings']['library'] == library
  assert section['settings']['seed'] == 3
  assert section['settings']['modes']['room'] == 0.5
  assert 'samples' not in section['settings']  # says nothing to `fast`
  assert 'dropped_hidden' in section['counts']
  statistics = json.loads((tmp_path / 'one' / 'statistics.json').read_text())
  assert statistics['made'] == section['counts']
  assert (tmp_path / 'one' / 'preview.png').stat().st_size > 1000
  # More processes, the same bytes; and what is there is not made again.
  result = _run(library, tmp_path / 'two', '--num_processes=2', '--seed=3')
  assert result.status == 0, result
  for path in (tmp_path / 'one').iterdir():
    assert path.read_bytes() == (tmp_path / 'two' / path.name).read_bytes()
  result = _run(library, tmp_path / 'two', '--num_processes=2', '--seed=3')
  assert 'already' in result.stderr and 'images/s' not in result.stdout


def test_modes_are_shares(library, tmp_path):
  result = _run(library, tmp_path, '--modes=studio:1', '--num_processes=1')
  assert result.status == 0, result
  records = list(record_files.read(record_files.match(f'{tmp_path}/images*')))
  assert len(records) == 4
  assert all(b'studio/' in record for record in records)


@pytest.mark.parametrize(
  ('argument', 'message'),
  [
    (
      '--class_names=chair,tables',
      "table. Did you mean 'tables'? Rename their folders, give "
      '--class_names=chair,tables,table',
    ),
    ('--library=/no/library', "No CAD library at '/no/library'"),
    ('--modes=room', "--modes has 'room'"),
    ('--modes=garden:1', 'garden'),
    ('--modes=room:0', 'room'),
    ('--renderer=povray', 'povray'),
    ('--image_size=10', 'image_size'),
    ('--max_objects=9', 'max_objects'),
    ('--min_objects=4', '4 to 3 objects'),
    ('--min_visible=2', 'min_visible'),
    ('--num_images=0', 'num_images'),
    ('--poses=/no/poses.json', '/no/poses.json'),
    ('--textures=/no/textures', '/no/textures'),
  ],
)
def test_bad_input_is_one_line(library, tmp_path, argument, message):
  result = _run(library, tmp_path / 'out', '--num_processes=1', argument)
  assert message in result.only_line
  assert not (tmp_path / 'out').exists() or not list(
    (tmp_path / 'out').iterdir()
  )
