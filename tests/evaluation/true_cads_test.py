import dataclasses

import numpy as np
import pytest
import trimesh

from mask2cad_tf.evaluation import true_cads
from mask2cad_tf.geometry import posed_cad


def test_library_goes_before_gallery():
  cads = true_cads.TrueCads('/lib', {'chair/a': '/gallery/a.glb'}, {})
  assert cads.find_mesh('chair/a', 'chair/a/m.obj') == '/lib/chair/a/m.obj'


@pytest.mark.parametrize('mesh', ['../m.obj', '/etc/passwd', ''])
def test_a_record_names_meshes_of_the_library_alone(mesh):
  cads = true_cads.TrueCads('/lib', {}, {})
  with pytest.raises(ValueError, match="'chair/a': the path"):
    cads.find_mesh('chair/a', mesh)


def test_gallery_answers_without_library():
  cads = true_cads.TrueCads('', {'chair/a': '/gallery/a.glb'}, {})
  assert cads.find_mesh('chair/a', 'chair/a/m.obj') == '/gallery/a.glb'
  with pytest.raises(ValueError, match="'chair/b'.*--library"):
    cads.find_mesh('chair/b', 'chair/b/m.obj')


def test_symmetry_annotated_else_of_the_gallery_else_measured(tmp_path):
  path = str(tmp_path / 'box.ply')
  trimesh.creation.box([1.0, 1.0, 0.5]).export(path)
  cads = true_cads.TrueCads('', {}, {'chair/a': 4})

  def cad(cad_id):
    return posed_cad.PosedCad(
      label=1,
      cad_id=cad_id,
      mesh=path,
      rotation=np.eye(3),
      translation=np.zeros(3),
      box=np.zeros(4),
    )

  annotated = dataclasses.replace(cad('chair/a'), symmetry=0)
  assert cads.symmetry_order(annotated) == 0
  assert cads.symmetry_order(cad('chair/a')) == 4
  assert cads.symmetry_order(cad('chair/b')) == 2
  (tmp_path / 'box.ply').unlink()
  assert cads.symmetry_order(cad('chair/b')) == 2  # measured once
