import json
import os
import subprocess
import sys

import pytest

from mask2cad_tf.data import record_files
from tests import command_runner
from tests.tfrecords_tools import fake_maker
from tfrecords_tools import block_files
from tfrecords_tools import block_job
from tfrecords_tools import example_runner

_COUNT = 22  # of which example 13 is left out


def _run(folder, make=None, count=_COUNT, seed=1, **options):
  options = {'num_processes': 1, 'block_size': 5, **options}
  return example_runner.run(
    make or fake_maker.Maker(),
    count,
    str(folder),
    'images',
    options.pop('num_shards', 2),
    {'seed': seed},
    **options,
  )


def _records(folder):
  return list(record_files.read(record_files.match(f'{folder}/images*')))


def _section(folder):
  return json.loads((folder / 'manifest.json').read_text())['records']['images']


def test_examples_are_dealt_to_the_shards_in_order(tmp_path):
  summary = _run(tmp_path)
  assert (summary.num_examples, summary.num_made) == (21, 22)
  assert summary.counts == {'even': 11, 'unlucky': 1}
  assert summary.skipped == ['photo 13: unlucky']
  assert summary.seconds > 0 and summary.cpu_seconds > 0
  numbers = [int(r.split(b'photo ')[1].split()[0]) for r in _records(tmp_path)]
  kept = [i for i in range(22) if i != 13]
  assert numbers == kept[::2] + kept[1::2]
  section = _section(tmp_path)
  assert section['settings'] == {'seed': 1}
  assert section['counts'] == summary.counts
  assert section['skipped'] == summary.skipped
  assert sorted(os.listdir(tmp_path)) == [
    'images.tfrecord-00000-of-00002',
    'images.tfrecord-00001-of-00002',
    'manifest.json',
  ]


@pytest.mark.parametrize(
  'options',
  [{'num_processes': 2}, {'num_processes': 3}, {'runner': 'DirectRunner'}],
  ids=str,
)
def test_who_makes_the_blocks_changes_no_byte(tmp_path, options):
  _run(tmp_path / 'here')
  _run(tmp_path / 'there', **options)
  here, there = (
    {path.name: path.read_bytes() for path in folder.iterdir()}
    for folder in (tmp_path / 'here', tmp_path / 'there')
  )
  assert here == there and len(here) == 3


def test_beam_with_processes_of_its_own(tmp_path):
  options = ['--direct_num_workers=2', '--direct_running_mode=multi_processing']
  _run(tmp_path / 'here')
  _run(tmp_path / 'beam', runner='DirectRunner', beam_options=options)
  assert _records(tmp_path / 'here') == _records(tmp_path / 'beam')


def test_ten_kills_leave_the_same_records(tmp_path):
  subprocess.run(
    [sys.executable, '-m', fake_maker.__name__, str(tmp_path), '10'],
    check=True,
    timeout=300,
    capture_output=True,
  )
  undisturbed = command_runner.files_below(tmp_path / 'undisturbed')
  names = sorted(os.path.basename(path) for path in undisturbed)
  assert names == [
    *(f'images.tfrecord-{i:05d}-of-00003' for i in range(3)),
    'manifest.json',
  ]
  for folder in tmp_path.glob('killed*'):
    assert {
      path.replace(str(folder), str(tmp_path / 'undisturbed')): content
      for path, content in command_runner.files_below(folder).items()
    } == undisturbed


@pytest.mark.parametrize(
  'options', [{}, {'num_processes': 2}, {'runner': 'DirectRunner'}], ids=str
)
def test_bad_input_stops_the_run_and_keeps_what_was_made(tmp_path, options):
  broken = fake_maker.Maker(broken=(17,))
  with pytest.raises(ValueError, match='images, example 17: photo 17 is broke'):
    _run(tmp_path, broken, **options)
  assert os.listdir(tmp_path) == ['.images.blocks']
  summary = _run(tmp_path, broken, skip_broken=True, **options)
  assert summary.num_made < _COUNT  # at least block 0 was there
  assert summary.skipped == ['photo 13: unlucky', 'photo 17 is broken']
  assert len(_records(tmp_path)) == 20


@pytest.mark.parametrize(
  'options', [{}, {'num_processes': 2}, {'runner': 'DirectRunner'}], ids=str
)
def test_a_defect_keeps_its_traceback(tmp_path, options):
  make = fake_maker.Maker(defect=2)
  with pytest.raises(RuntimeError, match='example 2:(.|\n)*a defect of ours'):
    _run(tmp_path, make, skip_broken=True, count=5, **options)
  assert not list(tmp_path.iterdir())


def test_a_process_that_dies_is_noticed(tmp_path):
  with pytest.raises(ChildProcessError, match='exit code 3'):
    _run(tmp_path, fake_maker.Maker(dies=8), num_processes=2)


def test_finished_records_are_left_alone(tmp_path):
  _run(tmp_path)
  before = {path: path.stat().st_mtime_ns for path in tmp_path.iterdir()}
  summary = _run(tmp_path, fake_maker.Maker(defect=0))  # is not called
  assert (summary.num_made, summary.num_examples) == (0, 21)
  assert summary.skipped == ['photo 13: unlucky']
  assert before == {p: p.stat().st_mtime_ns for p in tmp_path.iterdir()}


def test_damaged_or_other_records_are_made_again(tmp_path):
  _run(tmp_path)
  shard = tmp_path / 'images.tfrecord-00001-of-00002'
  whole = shard.read_bytes()
  shard.write_bytes(whole[:-1])
  assert _run(tmp_path).num_made == _COUNT
  assert shard.read_bytes() == whole
  assert _run(tmp_path, seed=2).num_made == _COUNT
  assert _run(tmp_path, seed=2, num_shards=3).num_made == _COUNT
  assert len(list(tmp_path.glob('*-of-*'))) == 3
  assert _run(tmp_path, seed=2, num_shards=3, restart=True).num_made == _COUNT


def test_unfinished_blocks_of_other_settings_need_a_restart(tmp_path):
  with pytest.raises(ValueError, match='example 8'):
    _run(tmp_path, fake_maker.Maker(broken=(8,)))
  with pytest.raises(ValueError, match=r'differing: seed\)(.|\n)*--restart'):
    _run(tmp_path, seed=2)
  with pytest.raises(ValueError, match=r'differing: num_examples\)'):
    _run(tmp_path, count=23)
  assert _run(tmp_path, seed=2, restart=True).num_made == _COUNT


def test_a_damaged_block_is_made_again(tmp_path):
  with pytest.raises(ValueError, match='example 11'):
    _run(tmp_path, fake_maker.Maker(broken=(11,)))
  blocks = sorted((tmp_path / '.images.blocks').glob('*.examples'))
  assert len(blocks) == 2
  blocks[1].write_bytes(blocks[1].read_bytes()[:-1])
  assert _run(tmp_path).num_made == _COUNT - 5


def test_no_example_is_an_error(tmp_path):
  make = fake_maker.Maker(broken=(0, 1))
  with pytest.raises(ValueError, match='no usable example.*photo 0 is broken'):
    _run(tmp_path, make, count=2, skip_broken=True)
  assert not list(tmp_path.iterdir())


def test_two_runs_at_once_are_refused(tmp_path):
  with (
    block_files.BlockFiles(str(tmp_path), 'images').locked(),
    pytest.raises(ValueError, match='Another run'),
  ):
    _run(tmp_path)


def test_makers_are_closed(tmp_path):
  for number, options in enumerate(
    ({}, {'num_processes': 2}, {'runner': 'DirectRunner'})
  ):
    path = tmp_path / str(number)
    _run(tmp_path / f'out{number}', fake_maker.Closing(str(path)), **options)
    assert path.read_text() == 'closed\n' * options.get('num_processes', 1)


def test_made_is_the_public_name():
  assert example_runner.Made is block_job.Made
