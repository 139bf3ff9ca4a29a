"""The process that draws, played by a small script; no Blender here."""

import json
import os
import sys
import textwrap

import numpy as np
import pytest

from tests.tfrecords_tools.synthesis import simple_scenes
from tfrecords_tools.synthesis import cycles_renderer

_READY = "print(json.dumps({'ready': 'none'}), flush=True)"
_PICTURE = """
np.save(request['output'], np.full((4, 6, 4), 0.25, np.float32))
print(json.dumps({'ok': True}), flush=True)
"""


@pytest.fixture
def scene():
  return simple_scenes.scene(
    [simple_scenes.box((-1, 0, 1), (1, 1, 2))],
    simple_scenes.camera((0, 1, -3), (0, 0, 0), 6.0, 4, 6),
    background=1.0,
  )


def _script(folder, answer: str, start: str = _READY) -> str:
  """A worker that notes its folder and each of its starts in `folder`."""
  path = folder / 'worker.py'
  path.write_text(
    textwrap.dedent(
      f"""
      import json, os, sys, time
      import numpy as np
      with open({str(folder / 'starts')!r}, 'a') as file:
        file.write(sys.argv[1] + '\\n')
      starts = len(open({str(folder / 'starts')!r}).readlines())
      """
    )
    + start
    + '\nfor line in sys.stdin:\n  request = json.loads(line)\n'
    + textwrap.indent(answer.strip(), '  ')
    + '\n'
  )
  return str(path)


def _renderer(script: str, **options) -> cycles_renderer.CyclesRenderer:
  return cycles_renderer.CyclesRenderer(
    sys.executable, 3, worker=script, **options
  )


def _folders(tmp_path):
  return (tmp_path / 'starts').read_text().split()


def test_a_picture_is_laid_over_the_background(tmp_path, scene):
  renderer = _renderer(_script(tmp_path, _PICTURE))
  # Premultiplied: 0.25 and three quarters of a white background.
  np.testing.assert_allclose(renderer.render(scene), np.ones((4, 6, 3)))
  renderer.close()


def test_one_process_draws_many_scenes_and_leaves_no_file(tmp_path, scene):
  renderer = _renderer(_script(tmp_path, _PICTURE))
  for _ in range(3):
    renderer.render(scene)
  (folder,) = _folders(tmp_path)
  assert os.path.isdir(folder)
  renderer.close()
  renderer.close()
  assert not os.path.exists(folder)


def test_nothing_starts_before_the_first_scene(tmp_path):
  _renderer(_script(tmp_path, _PICTURE)).close()
  assert not (tmp_path / 'starts').exists()


def test_a_forgotten_renderer_ends_its_process(tmp_path, scene):
  renderer = _renderer(_script(tmp_path, _PICTURE))
  renderer.render(scene)
  del renderer
  assert not os.path.exists(_folders(tmp_path)[0])


def test_the_request_is_what_the_worker_documents(tmp_path, scene):
  note = tmp_path / 'note'
  renderer = _renderer(
    _script(tmp_path, f"open({str(note)!r}, 'w').write(line)\n" + _PICTURE)
  )
  renderer.render(scene)
  renderer.close()
  request = json.loads(note.read_text())
  assert sorted(request) == ['output', 'samples', 'scene', 'threads']
  assert request['samples'] == 3 and request['threads'] == 1


def test_a_crash_is_forgiven_once(tmp_path, scene):
  answer = 'if starts == 1: os._exit(11)\n' + _PICTURE
  renderer = _renderer(_script(tmp_path, answer))
  assert renderer.render(scene).shape == (4, 6, 3)
  assert len(_folders(tmp_path)) == 2
  renderer.close()


@pytest.mark.parametrize(
  'answer, message',
  [
    (
      "print('out of memory', file=sys.stderr, flush=True)\nos._exit(11)",
      'status 11; its log ends: out of memory',
    ),
    ("print('hello', flush=True)", 'it answered'),
    ("print(json.dumps({'error': 'bad mesh'}), flush=True)", 'bad mesh'),
    ("print(json.dumps({'ok': True}), flush=True)", 'no picture'),
    ('time.sleep(60)', 'no answer within 1 s'),
  ],
)
def test_two_failures_name_the_scene(
  tmp_path, monkeypatch, scene, answer, message
):
  monkeypatch.setattr(cycles_renderer, '_CLOSE_SECONDS', 0.2)
  renderer = _renderer(_script(tmp_path, answer), render_seconds=1.0)
  with pytest.raises(ValueError, match="mode 'room' with no object") as error:
    renderer.render(scene)
  assert message in str(error.value)
  folders = _folders(tmp_path)
  assert len(folders) == 2
  assert not any(os.path.exists(folder) for folder in folders)


@pytest.mark.parametrize(
  'picture', ['np.zeros((3, 6, 4))', 'np.full((4, 6, 4), np.nan)']
)
def test_a_bad_picture_is_refused(tmp_path, scene, picture):
  answer = _PICTURE.replace('np.full((4, 6, 4), 0.25, np.float32)', picture)
  renderer = _renderer(_script(tmp_path, answer))
  with pytest.raises(ValueError, match='expected finite'):
    renderer.render(scene)
  renderer.close()


def test_a_python_without_bpy_says_make_cycles(scene):
  # The real worker; the tests' own Python has no bpy.
  renderer = cycles_renderer.CyclesRenderer(sys.executable)
  with pytest.raises(ValueError, match='bpy.*make cycles'):
    renderer.render(scene)


def test_no_python_at_all_says_make_cycles(scene):
  renderer = cycles_renderer.CyclesRenderer('no/such/python')
  with pytest.raises(ValueError, match='make cycles'):
    renderer.render(scene)
