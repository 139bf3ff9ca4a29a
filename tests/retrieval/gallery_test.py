"""A gallery's format: round trip, content hash, refusals."""

import dataclasses
import json
import os

import numpy as np
import pytest

from mask2cad_tf.retrieval import gallery as gallery_lib


def _gallery(seed=0, **changes):
  rng = np.random.default_rng(seed)
  cads = (
    gallery_lib.Cad('bed/a', 'bed', 'meshes/bed/a/m.obj', 'f00'),
    gallery_lib.Cad(
      'sofa/b',
      'sofa',
      'meshes/sofa/b/m.glb',
      'ba2',
      licence='CC-BY 3.0',
      creator='Ann',
      symmetry=2,
      mirror_normal=(0.0, 0.0, 0.0),
      scale=0.01,
    ),
  )
  fields = dict(
    path='',
    class_names=('bed', 'chair', 'sofa'),
    encoder='e' * 64,
    cads=cads,
    embeddings=rng.normal(size=(2, 3, 4)).astype(np.float32),
    rotations=rng.normal(size=(2, 3, 4)).astype(np.float32),
    valid=np.array([[True, True, False]] * 2),
    silhouettes=rng.integers(0, 256, (2, 3, 128), np.uint8),
  )
  return gallery_lib.Gallery(**{**fields, **changes})


@pytest.fixture
def folder(tmp_path):
  gallery_lib.write_index(str(tmp_path), _gallery())
  return str(tmp_path)


def test_round_trip(folder):
  loaded, written = gallery_lib.load(folder), _gallery()
  assert loaded.cads == written.cads
  assert loaded.class_names == written.class_names
  assert loaded.content_hash == written.content_hash
  for name in ('embeddings', 'rotations', 'valid', 'silhouettes'):
    np.testing.assert_array_equal(getattr(loaded, name), getattr(written, name))
  assert loaded.silhouettes.dtype == np.uint8
  np.testing.assert_array_equal(loaded.labels, [1, 3])
  assert loaded.mesh_path('sofa/b') == os.path.join(
    folder, 'meshes/sofa/b/m.glb'
  )


def test_manifest_has_the_fields_that_tools_rely_on(folder):
  with open(os.path.join(folder, 'manifest.json')) as file:
    manifest = json.load(file)
  assert set(manifest) == {
    'format_version',
    'content_hash',
    'class_names',
    'encoder_fingerprint',
    'cads',
  }
  bed, sofa = manifest['cads']
  assert {
    'id',
    'class',
    'mesh',
    'licence',
    'creator',
    'symmetry',
    'chiral',
    'scale',
  } <= set(bed)
  assert (sofa['class'], sofa['chiral'], bed['chiral']) == ('sofa', True, False)


def test_hash_tells_contents_apart():
  gallery = _gallery()
  others = [
    _gallery(seed=1),
    _gallery(encoder='d' * 64),
    _gallery(class_names=('bed', 'sofa')),
    _gallery(valid=np.ones((2, 3), bool)),
    _gallery(silhouettes=np.zeros((2, 3, 128), np.uint8)),
    _gallery(
      cads=(dataclasses.replace(gallery.cads[0], sha256='f01'), gallery.cads[1])
    ),
  ]
  hashes = {other.content_hash for other in [gallery, *others]}
  assert len(hashes) == 7
  assert _gallery(path='elsewhere').content_hash == gallery.content_hash


def test_unknown_cad_is_named(folder):
  with pytest.raises(ValueError, match="no CAD 'bed/z'"):
    gallery_lib.load(folder).mesh_path('bed/z')


def test_no_gallery_names_the_remedy(tmp_path):
  with pytest.raises(FileNotFoundError, match='mask2cad_tf.gallery build'):
    gallery_lib.load(str(tmp_path / 'nothing'))


def test_another_encoder_is_refused(folder):
  gallery_lib.load(folder, encoder='e' * 64)
  with pytest.raises(ValueError) as error:
    gallery_lib.load(folder, encoder='d' * 64)
  assert folder in str(error.value)
  assert 'another view encoder' in str(error.value)
  assert 'mask2cad_tf.gallery build' in str(error.value)


def test_other_classes_are_refused(folder):
  gallery_lib.load(folder, class_names=['bed', 'chair', 'sofa'])
  with pytest.raises(ValueError, match='the model has bed, sofa'):
    gallery_lib.load(folder, class_names=['bed', 'sofa'])


@pytest.mark.parametrize(
  'damage', ['cut', 'changed', 'gone', 'silhouettes', 'manifest']
)
def test_damage_is_told(folder, damage):
  embeddings = os.path.join(folder, 'embeddings.npy')
  if damage == 'cut':
    os.truncate(embeddings, 100)
  elif damage == 'changed':
    np.save(embeddings, np.zeros((2, 3, 4), np.float32))
  elif damage == 'gone':
    os.remove(os.path.join(folder, 'views.npz'))
  elif damage == 'silhouettes':  # as format 1 wrote it
    gallery = _gallery()
    np.savez(
      os.path.join(folder, 'views.npz'),
      rotations=gallery.rotations,
      valid=gallery.valid,
    )
  else:
    with open(os.path.join(folder, 'manifest.json'), 'w') as file:
      file.write('{"format')
  with pytest.raises(ValueError, match='is damaged .*Build it anew'):
    gallery_lib.load(folder)


def test_another_format_is_told(folder):
  path = os.path.join(folder, 'manifest.json')
  with open(path) as file:
    manifest = json.load(file)
  with open(path, 'w') as file:
    json.dump({**manifest, 'format_version': 1}, file)
  with pytest.raises(ValueError, match='has format 1, .*Build it anew'):
    gallery_lib.load(folder)


def test_near_duplicates_look_alike_from_everywhere():
  # b turned by 30 degrees from a in each valid view, cos .866; c is a but for
  # its last view, which repeats another and does not count.
  a = [[1.0, 0.0], [0.0, 2.0], [1.0, 1.0]]
  b = [[0.866, 0.5], [0.5, 0.866], [1.0, 1.0]]
  c = [[5.0, 0.0], [0.0, 1.0], [-1.0, -1.0]]
  gallery = _gallery(
    cads=tuple(
      gallery_lib.Cad(f'{label}/{name}', label, '', '')
      for label, name in (
        ('bed', 'a'),
        ('bed', 'b'),
        ('sofa', 'c'),
        ('bed', 'c'),
      )
    ),
    embeddings=np.array([a, b, a, c], np.float32),
    valid=np.array([[True, True, False]] * 4),
  )
  assert gallery.near_duplicates('bed/a', 0.95) == ('bed/a', 'bed/c')
  assert gallery.near_duplicates('bed/a', 0.8) == ('bed/a', 'bed/b', 'bed/c')
  assert gallery.near_duplicates('bed/x', 0.5) == ()


@pytest.mark.parametrize(
  'mesh', ['meshes/../../secret.obj', '/etc/passwd', 'other/m.obj', 'meshes\\a']
)
def test_a_mesh_outside_the_gallery_is_refused(tmp_path, mesh):
  cads = (dataclasses.replace(_gallery().cads[0], mesh=mesh),) * 2
  gallery_lib.write_index(str(tmp_path), _gallery(cads=cads))
  with pytest.raises(ValueError, match="is damaged .*'bed/a'"):
    gallery_lib.load(str(tmp_path))


@pytest.mark.parametrize('linked', ['meshes', 'meshes/bed/a/m.obj'])
def test_a_link_out_of_the_gallery_is_refused(folder, tmp_path_factory, linked):
  other = tmp_path_factory.mktemp('other')
  (other / 'm.obj').write_text('secret')
  link = os.path.join(folder, linked)
  os.makedirs(os.path.dirname(link), exist_ok=True)
  os.symlink(other if linked == 'meshes' else other / 'm.obj', link)
  with pytest.raises(ValueError, match='leads? out'):
    gallery_lib.load(folder)


@pytest.mark.parametrize(
  'changes',
  [
    {'embeddings': np.ones((1, 3, 4), np.float32)},
    {'embeddings': np.ones((2, 3), np.float32)},
    {'rotations': np.ones((2, 3, 3), np.float32)},
    {'valid': np.ones((2, 4), bool)},
    {'silhouettes': np.ones((2, 3, 4), np.uint8)},
  ],
)
def test_rows_that_are_not_the_entries_are_refused(tmp_path, changes):
  gallery_lib.write_index(str(tmp_path), _gallery(**changes))
  with pytest.raises(ValueError, match=f'is damaged .*{next(iter(changes))}'):
    gallery_lib.load(str(tmp_path))
