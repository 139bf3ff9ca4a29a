"""YAML from elsewhere: plain values alone."""

import pytest
import yaml

from mask2cad_tf import packaged_model
from mask2cad_tf.configs import yaml_files
from mask2cad_tf.modeling import model_folder


def _bomb():
  lines = ['a0: &a0 [x, x]']
  lines += [f'a{i}: &a{i} [*a{i - 1}, *a{i - 1}]' for i in range(1, 40)]
  return '\n'.join(lines)


_FAULTS = {
  'call': ('a: !!python/object/apply:os.system ["true"]', 'asks for'),
  'name': ('a: !!python/name:os.system', 'asks for'),
  'module': ('a: !!python/module:os', 'asks for'),
  'own_tag': ('a: !thing 3', 'asks for'),
  'aliases': (_bomb(), "repeats 'a0'"),
  'deep': ('[' * 60 + ']' * 60, 'nested too deeply'),
  'documents': ('a: 1\n---\nb: 2', 'several documents'),
  'no_yaml': ('a: [', 'is not YAML'),
  'bytes': ('a: \x01', 'is not YAML'),
  'large': ('#' * (1 << 20) + '\n', 'larger than 1 MiB'),
}


@pytest.mark.parametrize('fault', _FAULTS)
def test_refused(tmp_path, fault):
  text, message = _FAULTS[fault]
  (tmp_path / 'params.yaml').write_text(text)
  with pytest.raises(ValueError, match=message):
    yaml_files.check(str(tmp_path / 'params.yaml'))
  with pytest.raises(ValueError, match=message):
    model_folder.load_params(str(tmp_path))


def test_what_pack_and_train_write_is_taken(tmp_path):
  path = tmp_path / 'a.yaml'
  path.write_text(yaml.dump({'a': (1, 2), 'b': {'c': [1e-4, None, 'x']}}))
  yaml_files.check(str(path))
  model_folder.load_params(packaged_model.folder())


def test_a_key_of_another_package(tmp_path):
  (tmp_path / 'params.yaml').write_text('task: {nonsense: 3}')
  with pytest.raises(ValueError, match='is no configuration of this package'):
    model_folder.load_params(str(tmp_path))
