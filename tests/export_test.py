"""`python -m mask2cad_tf.export`; what it exports: serving/..._test.py."""

import os
import pathlib

import numpy as np
import pytest
import tensorflow as tf

from mask2cad_tf import export
from mask2cad_tf.modeling import model_folder
from mask2cad_tf.retrieval import default_gallery
from mask2cad_tf.serving import gallery_assets
from mask2cad_tf.serving import warmup
from tests import command_runner


def _export(tiny_world, output, *arguments):
  return command_runner.run(
    export,
    f'--model={tiny_world.model_dir}',
    f'--gallery={tiny_world.gallery_dir}',
    f'--export_dir={output}',
    *arguments,
  )


def test_a_saved_model_in_place(tiny_world, tmp_path, monkeypatch):
  tiny_world.patch(monkeypatch)
  result = _export(tiny_world, tmp_path / 'out')
  assert result.status == 0, result
  assert 'SavedModel with 10 CADs' in result.stdout
  assert os.listdir(tmp_path) == ['out']
  assert not gallery_assets.faults(
    str(tmp_path / 'out'), model_folder.fingerprint(tiny_world.model)
  )
  signatures = tf.saved_model.load(str(tmp_path / 'out')).signatures
  assert set(signatures) == {
    'serving_default',
    'serve_with_intrinsics',
    'embed_views',
  }
  outputs = signatures['serving_default'].structured_outputs
  assert outputs['detection_cad_ids'].shape[-1] == 5
  assert outputs['detection_masks'].dtype == tf.float32
  assert (tmp_path / 'out' / warmup.FILE).is_file()
  assert {
    'num_detections',
    'detection_boxes',
    'detection_classes',
    'detection_scores',
    'detection_masks',
    'detection_cad_ids',
    'detection_cad_scores',
    'detection_rotations',
    'detection_centers',
    'detection_embeddings',
  } <= set(outputs)


def test_masks_pasted_into_the_photos_frame(tiny_world, tmp_path, monkeypatch):
  tiny_world.patch(monkeypatch)
  result = _export(tiny_world, tmp_path / 'out', '--masks=pasted')
  assert result.status == 0, result
  serve = tf.saved_model.load(str(tmp_path / 'out')).signatures[
    'serving_default'
  ]
  encoded = [pathlib.Path(path).read_bytes() for path in tiny_world.photos]
  outputs = serve(image_bytes=tf.constant(encoded))
  masks, scales = outputs['detection_masks'], outputs['mask_scales']
  assert masks.dtype == tf.uint8
  assert masks.shape[2:] == tiny_world.config.task.model.input_size[:2]
  for i, photo in enumerate(encoded):
    size = tf.io.decode_image(photo).shape[:2]
    height, width = np.round(size * scales[i].numpy()).astype(int)
    assert max(height, width) == max(masks.shape[2:])
    assert masks[i, :, :height, :width].numpy().any()
    assert not masks[i, :, height:].numpy().any()
    assert not masks[i, :, :, width:].numpy().any()


def test_the_package_has_model_and_gallery(tmp_path, monkeypatch):
  asked = []

  def choose(model, gallery):
    asked.append((model, gallery))
    return 'nowhere', 'nowhere'

  monkeypatch.setattr(default_gallery, 'choose', choose)
  line = command_runner.run(export, f'--export_dir={tmp_path}/out').only_line
  assert asked == [(None, None)]
  assert "params.yaml in 'nowhere'" in line


def test_another_model_needs_its_gallery(tiny_world, tmp_path):
  line = command_runner.run(
    export, f'--model={tiny_world.model_dir}', f'--export_dir={tmp_path}/out'
  ).only_line
  assert '--gallery missing: no gallery.npz' in line


@pytest.mark.parametrize(
  'arguments, message',
  [
    (['--model=nowhere'], "params.yaml in 'nowhere'"),
    (['--gallery=nowhere'], "No gallery at 'nowhere'"),
    (['--gallery='], '--gallery missing'),
    (['--dtype=float8'], '--dtype=float8'),
    (['--masks=rle'], '--masks=rle'),
    (['--top_k=0'], '--top_k'),
  ],
)
def test_bad_input_leaves_the_earlier_export(
  tiny_world, tmp_path, monkeypatch, arguments, message
):
  tiny_world.patch(monkeypatch)
  (tmp_path / 'out').mkdir()
  (tmp_path / 'out' / 'saved_model.pb').write_text('earlier')
  result = _export(tiny_world, tmp_path / 'out', *arguments)
  assert result.only_line.startswith('mask2cad_tf.export: ')
  assert message in result.only_line
  assert [str(p) for p in command_runner.files_below(tmp_path)] == [
    str(tmp_path / 'out' / 'saved_model.pb')
  ]


def test_no_stranger_is_overwritten(tiny_world, tmp_path, monkeypatch):
  tiny_world.patch(monkeypatch)
  (tmp_path / 'thesis.tex').write_text('years of work')
  result = _export(tiny_world, tmp_path)
  assert 'has no saved_model.pb' in result.only_line
  assert os.listdir(tmp_path) == ['thesis.tex']
