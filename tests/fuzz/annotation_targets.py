"""Annotations and other JSON that data sets come with."""

import json
import os

import numpy as np

from mask2cad_tf.geometry import cad_lists
from mask2cad_tf.scene import scene_json
from tests.fuzz import mutations
from tests.fuzz import target
from tfrecords_tools import coco
from tfrecords_tools import coco_masks
from tfrecords_tools import pix3d_annotations
from tfrecords_tools import scan2cad_annotations

_TRS = {
  'translation': [1.0, 2.0, 3.0],
  'rotation': [1.0, 0.0, 0.0, 0.0],
  'scale': [1.0, 1.0, 2.0],
}


def _dumped(*contents):
  return lambda: tuple(json.dumps(content).encode() for content in contents)


def _pix3d():
  pose = {
    'rot_mat': np.eye(3).tolist(),
    'trans_mat': [0.0, 0.0, 1.5],
    'model': 'model/bed/A/model.obj',
  }
  listed = {
    **pose,
    'img': 'img/bed/1.png',
    'mask': 'mask/bed/1.png',
    'category': 'bed',
    'img_size': [64, 48],
    'bbox': [1, 2, 30, 40],
    'focal_length': 35.0,
    'truncated': False,
  }
  split = {
    'categories': [{'id': 1, 'name': 'bed'}],
    'images': [{'id': 1, 'file_name': 'img/bed/1.png'}],
    'annotations': [
      {
        **pose,
        'id': 1,
        'image_id': 1,
        'category_id': 1,
        'segmentation': 'mask/bed/1.png',
        'bbox': [1, 2, 29, 38],
        'K': [70.0, 32.0, 24.0],
      }
    ],
  }
  return _dumped([listed], split)()


def _coco():
  base = {'image_id': 1, 'category_id': 3, 'bbox': [1, 2, 9, 8]}
  return _dumped(
    {
      'categories': [{'id': 3, 'name': 'chair'}],
      'images': [{'id': 1, 'file_name': '1.jpg', 'width': 16, 'height': 12}],
      'annotations': [
        {**base, 'id': 1, 'segmentation': [[1, 2, 9, 2, 9, 8, 1, 8]]},
        {**base, 'id': 2, 'segmentation': {'size': [12, 16], 'counts': [192]}},
        {**base, 'id': 3, 'segmentation': {'size': [12, 16], 'counts': 'P6'}},
      ],
    }
  )()


def _read_coco(path):
  photos, _ = coco.read(path, {})
  for photo in photos:
    for item in photo.objects:
      coco_masks.decode(
        item.segmentation, photo.image, photo.height, photo.width
      )


def _scan2cad():
  model = {
    'trs': _TRS,
    'sym': '__SYM_NONE',
    'catid_cad': '03001627',
    'id_cad': 'abc',
  }
  scan = {'id_scan': 'scene0000_00', 'trs': _TRS, 'aligned_models': [model]}
  return _dumped([scan])()


def _scannet_pose():
  return (
    '\n'.join(' '.join('01'[i == j] for j in range(4)) for i in range(4)),
  )


def _read_pose(data):
  frame = scan2cad_annotations.Frame('scene0000_00', '000000')
  root = target.folder()
  os.makedirs(os.path.join(root, 'scene0000_00', 'pose'), exist_ok=True)
  for name in ('pose/000000.txt', 'intrinsics_color.txt'):
    with open(os.path.join(root, 'scene0000_00', name), 'wb') as file:
      file.write(data)
  scan2cad_annotations.read_camera_to_world(root, frame)
  scan2cad_annotations.read_intrinsics(root, 'scene0000_00')


def _scene():
  return _dumped(
    {
      'image': {'path': 'a.jpg', 'width': 4, 'height': 3},
      'camera': {'fx': 5.0, 'fy': 5.0, 'cx': 2.0, 'cy': 1.5},
      'objects': [],
    }
  )()


def _read_scene(path):
  scene_json.intrinsics(scene_json.load(path))


TARGETS = (
  target.Target(
    'pix3d',
    'pix3d.json, or a split of Mesh R-CNN',
    target.in_file('pix3d.json', pix3d_annotations.read),
    _pix3d,
    says='pix3d.json',
    mutate=mutations.json_changed,
  ),
  target.Target(
    'coco',
    "COCO's instances_*.json, with the masks in it",
    target.in_file('coco.json', _read_coco),
    _coco,
    mutate=mutations.json_changed,
  ),
  target.Target(
    'scan2cad',
    "Scan2CAD's full_annotations.json",
    target.in_file('scan2cad.json', scan2cad_annotations.read),
    _scan2cad,
    says='scan2cad.json',
    mutate=mutations.json_changed,
  ),
  target.Target(
    'scannet',
    "ScanNet's pose and camera files",
    _read_pose,
    lambda: tuple(text.encode() for text in _scannet_pose()),
    says='scene0000_00',
  ),
  target.Target(
    'cad_list',
    'a list of CADs, FILE:KEY of the tools',
    target.in_file(
      'list.json', lambda path: cad_lists.read(f'{path}:held_out', 'only')
    ),
    _dumped({'held_out': ['chair/a', 'bed/b']}),
    says='list.json',
    mutate=mutations.json_changed,
  ),
  target.Target(
    'scene_json',
    'scene.json, which export of a scene reads again',
    target.in_file('scene.json', _read_scene),
    _scene,
    says='scene.json',
    mutate=mutations.json_changed,
  ),
)
