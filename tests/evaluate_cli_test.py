"""`python -m mask2cad_tf.evaluate`: tables, flags, bad input."""

import dataclasses
import json
import os
import re
import shutil
import subprocess
import sys

import pytest

from mask2cad_tf import evaluate
from mask2cad_tf.refinement import confidence
from mask2cad_tf.retrieval import default_gallery
from mask2cad_tf.retrieval import gallery as gallery_lib
from tests import command_runner


def _run(*arguments):
  return command_runner.run(evaluate, *arguments)


def _ground_truth(toy_data, output, *arguments):
  return _run(
    '--ground_truth',
    f'--records={toy_data.image_records}',
    f'--library={toy_data.library}',
    f'--output_dir={output}',
    *arguments,
  )


def _on_photos(tiny_world, toy_data, output, *arguments):
  return _run(
    f'--model={tiny_world.model_dir}',
    f'--gallery={tiny_world.gallery_dir}',
    f'--records={toy_data.photo_records}',
    f'--output_dir={output}',
    '--depth_mode=mid_range',
    *arguments,
  )


def _tables(folder):
  with open(os.path.join(folder, 'tables.json')) as file:
    return json.load(file)


def test_ground_truth_is_a_hundred(toy_data, tmp_path):
  result = _ground_truth(toy_data, tmp_path)
  assert result.status == 0, result
  assert 'AP^mesh strict: 100.0' in result.stdout
  tables = _tables(tmp_path)
  assert (tables['num_photos'], tables['num_objects']) == (11, 18)
  perfect = {name: pytest.approx(100.0) for name in toy_data.class_names}
  for scores in (
    *tables['mesh_ap'].values(),
    tables['box_ap'],
    tables['mask_ap'],
  ):
    assert scores['AP'] == pytest.approx(100.0)
    assert scores['per_class'] == perfect
  true_boxes = tables['true_boxes']
  assert true_boxes['surface']['f1_0.3'] > 99.0
  assert true_boxes['retrieval']['top1'] == 100.0
  assert true_boxes['pose']['median_degrees'] == pytest.approx(0, abs=1e-4)
  assert tables['oracle'] == {}
  assert '| strict | 100.0 |' in (tmp_path / 'tables.md').read_text()


def test_the_ground_truths_report(toy_data, tmp_path):
  photos = f'--records={toy_data.photo_records}'
  assert _ground_truth(toy_data, tmp_path, photos, '--report').status == 0
  page = (tmp_path / 'report.html').read_text()
  assert 'predictions: the ground truth itself.' in page
  assert 'nothing was retrieved' in page


def test_same_seed_same_tables(toy_data, tmp_path):
  tables = []
  for name, seed in (('a', 1), ('b', 1), ('c', 2)):
    _ground_truth(
      toy_data,
      tmp_path / name,
      f'--records={toy_data.photo_records}',
      f'--seed={seed}',
    )
    tables.append(_tables(tmp_path / name)['true_boxes'])
  assert tables[0] == tables[1]
  assert tables[0]['surface'] != tables[2]['surface']


@pytest.fixture(scope='module')
def evaluated(tiny_world, toy_data, tmp_path_factory):
  """Tables of a model of random weights on three real photos."""
  output = tmp_path_factory.mktemp('evaluated')
  with pytest.MonkeyPatch.context() as patch:
    tiny_world.patch(patch)
    result = _run(
      f'--model={tiny_world.model_dir}',
      f'--gallery={tiny_world.gallery_dir}',
      f'--records={toy_data.photo_records}',
      f'--output_dir={output}',
      '--depth_mode=mid_range',
      '--report',
    )
  assert result.status == 0, result
  assert f'Report: {output}/report.html' in result.stdout
  return output


def test_a_model_gets_all_tables(evaluated):
  tables = _tables(evaluated)
  assert tables['num_photos'] == 3
  assert tables['settings']['depth_mode'] == 'mid_range'
  assert tables['settings']['boxes'] == 'detected'
  assert set(tables['oracle']) == {'shape', 'rotation', 'translation', 'box'}
  for scores in tables['mesh_ap'].values():
    assert 0.0 <= scores['AP'] <= 100.0
    assert scores['per_class']['chair'] is None  # only beds in the photos
  true_boxes = tables['true_boxes']
  assert true_boxes['surface']['num_objects'] == 3
  # Two beds in the gallery: the true one is always among five.
  assert true_boxes['retrieval']['top5'] == 100.0
  assert 0.0 < true_boxes['pose']['median_degrees'] < 180.0
  assert 'Oracle' in (evaluated / 'tables.md').read_text()


def test_a_report_on_one_page(evaluated):
  page = (evaluated / 'report.html').read_text()
  tables = _tables(evaluated)
  sources = re.findall('<img src="([^"]{5})', page)
  # Bars, curves, photos with overlays, strips, errors, oracle, map.
  assert len(sources) > 20 and set(sources) == {'data:'}
  assert not re.search(r'(src|href)="(?!data:|#)', page)
  assert f'{tables["num_photos"]} photos, 3 true objects in all' in page
  assert f'gallery {tables["settings"]["gallery"]} (10 CADs)' in page
  assert '3 of 3 objects, 32 of 32 views of 2 CADs' in page
  assert 'only --refine gives a confidence' in page
  assert len(page) < 3e6
  assert sorted(os.listdir(evaluated)) == [
    'projector',
    'report.html',
    'tables.json',
    'tables.md',
  ]


def test_a_small_gallery_is_searched_alike_either_way(
  evaluated, tiny_world, toy_data, tmp_path, monkeypatch
):
  tiny_world.patch(monkeypatch)
  result = _on_photos(tiny_world, toy_data, tmp_path, '--search=approximate')
  assert result.status == 0, result
  assert sorted(os.listdir(tmp_path)) == ['tables.json', 'tables.md']
  approximate, exact = _tables(tmp_path), _tables(evaluated)
  assert approximate['settings'].pop('search') == 'approximate'
  assert 'search' not in exact['settings']
  assert approximate['mesh_ap'] == exact['mesh_ap']
  assert approximate['true_boxes'] == exact['true_boxes']


def test_true_boxes_are_the_models_boxes(
  evaluated, tiny_world, toy_data, tmp_path, monkeypatch
):
  tiny_world.patch(monkeypatch)
  result = _run(
    '--true_boxes',
    f'--model={tiny_world.model_dir}',
    f'--gallery={tiny_world.gallery_dir}',
    f'--records={toy_data.photo_records}',
    f'--library={toy_data.library}',
    f'--output_dir={tmp_path}',
    '--depth_mode=mid_range',
  )
  assert result.status == 0, result
  tables = _tables(tmp_path)
  assert tables['box_ap']['AP'] == pytest.approx(100.0)
  assert set(tables['oracle']) == {'shape', 'rotation', 'translation'}
  assert (
    tables['true_boxes']['retrieval']
    == (_tables(evaluated)['true_boxes']['retrieval'])
  )


def test_detections_alone_have_the_same_aps(
  evaluated, tiny_world, toy_data, tmp_path, monkeypatch
):
  tiny_world.patch(monkeypatch)
  result = _on_photos(tiny_world, toy_data, tmp_path, '--detections_only')
  assert result.status == 0, result
  tables, full = _tables(tmp_path), _tables(evaluated)
  for key in ('mesh_ap', 'box_ap', 'mask_ap', 'first_detections'):
    assert tables[key] == full[key], key
  assert set(tables['oracle']) == {'shape', 'rotation', 'translation'}
  assert tables['true_boxes']['retrieval']['num_objects'] == 0
  assert tables['true_boxes']['surface'] == {}
  assert tables['true_boxes']['good_shapes'] is None


def test_rendered_and_compared_with_the_true_masks(
  tiny_world, toy_data, tmp_path, monkeypatch
):
  tiny_world.patch(monkeypatch)
  judge = confidence.Confidence(0.0, (1.0, 0.0, 0.0))
  monkeypatch.setattr(confidence, 'load', lambda _: judge)
  result = _run(
    '--report',
    '--true_boxes',
    '--refine',
    '--refine_seconds=0.2',
    '--true_masks',
    '--depth_mode=box_fit',
    f'--model={tiny_world.model_dir}',
    f'--gallery={tiny_world.gallery_dir}',
    f'--records={toy_data.photo_records}',
    f'--output_dir={tmp_path}',
  )
  assert result.status == 0, result
  tables = _tables(tmp_path)
  settings = tables['settings']
  assert settings['refined'].startswith('0.2 s an object')
  assert settings['masks compared with'] == 'true'
  assert settings['depth_mode'] == 'box_fit'
  assert tables['true_boxes']['retrieval']['top5'] == 100.0  # two beds
  assert tables['true_boxes']['depth_error'] > 0.0
  assert '3 judged objects' in (tmp_path / 'report.html').read_text()


def test_a_cad_that_the_gallery_lacks_needs_the_library(
  tiny_world, toy_data, tmp_path, monkeypatch
):
  tiny_world.patch(monkeypatch)
  gallery = tmp_path / 'gallery'
  shutil.copytree(tiny_world.gallery_dir, gallery)
  _drop_beds(tiny_world.gallery, str(gallery))
  line = _run(
    f'--model={tiny_world.model_dir}',
    f'--gallery={gallery}',
    f'--records={toy_data.photo_records}',
    f'--output_dir={tmp_path / "out"}',
  ).only_line
  assert '--library' in line
  assert not (tmp_path / 'out').exists()


def _drop_beds(gallery, folder):
  rows = [i for i, c in enumerate(gallery.cads) if c.label_name != 'bed']
  gallery_lib.write_index(
    folder,
    dataclasses.replace(
      gallery,
      cads=tuple(gallery.cads[row] for row in rows),
      embeddings=gallery.embeddings[rows],
      rotations=gallery.rotations[rows],
      valid=gallery.valid[rows],
      silhouettes=gallery.silhouettes[rows],
    ),
  )


def test_bad_input_is_one_line_and_touches_nothing(toy_data, tmp_path):
  output = tmp_path / 'out'
  photos = f'--records={toy_data.photo_records}'
  assert _ground_truth(toy_data, output, photos).status == 0
  before = command_runner.files_below(output)
  library = tmp_path / 'library'
  shutil.copytree(toy_data.library, library)
  os.remove(library / 'chair' / 'low' / 'model.ply')
  cases = {
    '--library=none': "No CAD library at 'none'",
    f'--library={library}': 'chair/low/model.ply',
    f'--records={tmp_path}/none*': 'No record file matches',
    '--model=m': 'neither --model nor --gallery',
    '--f1_distance=-1': '--help',
    '--depth_mode=median': '--help',
    '--refined': '--help',
    'stray': "'stray'",
  }
  for argument, expected in cases.items():
    line = _ground_truth(toy_data, output, argument).only_line
    assert line.startswith('mask2cad_tf.evaluate: ')
    assert expected in line
  assert command_runner.files_below(output) == before


def test_missing_model_is_named(toy_data, tmp_path):
  line = _run(
    f'--model={tmp_path}/none',
    f'--gallery={tmp_path}/none',
    f'--records={toy_data.photo_records}',
    f'--output_dir={tmp_path}/out',
  ).only_line
  assert f'{tmp_path}/none' in line


def test_the_package_has_model_and_gallery(toy_data, tmp_path, monkeypatch):
  asked = []

  def choose(model, gallery):
    asked.append((model, gallery))
    return 'nowhere', 'nowhere'

  monkeypatch.setattr(default_gallery, 'choose', choose)
  arguments = (
    f'--records={toy_data.photo_records}',
    f'--output_dir={tmp_path}/out',
  )
  assert "params.yaml in 'nowhere'" in _run(*arguments).only_line
  _run('--model=m', *arguments)
  assert asked == [('', ''), ('m', '')]


def test_another_model_needs_its_gallery(toy_data, tiny_world, tmp_path):
  line = _run(
    f'--model={tiny_world.model_dir}',
    f'--records={toy_data.photo_records}',
    f'--output_dir={tmp_path}/out',
  ).only_line
  assert '--gallery missing: no gallery.npz' in line


def test_without_report_nothing_of_it_is_imported(toy_data, tmp_path):
  code = (
    'import sys; from tests import command_runner; '
    'from mask2cad_tf import evaluate; '
    'print(command_runner.run(evaluate, *sys.argv[1:]).status); '
    'print([n for n in sys.modules if "report_" in n or "sklearn" in n])'
  )
  result = subprocess.run(
    [
      sys.executable,
      '-c',
      code,
      '--ground_truth',
      f'--records={toy_data.photo_records}',
      f'--library={toy_data.library}',
      f'--output_dir={tmp_path}',
    ],
    capture_output=True,
    text=True,
  )
  assert result.stdout.split() == ['0', '[]'], result.stderr
  assert not (tmp_path / 'report.html').exists()


def test_no_flags():
  assert '--records and --output_dir' in _run().only_line


def test_help_has_examples_and_needs_no_tensorflow():
  code = (
    'import sys, runpy; sys.modules["tensorflow"] = None; '
    'sys.argv = ["evaluate", "--help"]; '
    'runpy.run_module("mask2cad_tf.evaluate", run_name="__main__", '
    'alter_sys=True)'
  )
  result = subprocess.run(
    [sys.executable, '-c', code], capture_output=True, text=True
  )
  assert result.returncode == 0, result.stderr
  assert '--ground_truth --library=pix3d/model \\\n' in result.stdout
  assert '--depth_mode' in result.stdout
