"""configs/serving: what can be checked where TF Serving cannot run."""

import importlib.metadata
import pathlib

import yaml
from google.protobuf import text_format
from tensorflow_serving.config import model_server_config_pb2

from mask2cad_tf.serving import client

_FOLDER = pathlib.Path(__file__).parents[2] / 'configs' / 'serving'


def _model():
  config = text_format.Parse(
    (_FOLDER / 'models.config').read_text(),
    model_server_config_pb2.ModelServerConfig(),
  )
  (model,) = config.model_config_list.config
  return model


def _service():
  text = (_FOLDER / 'docker-compose.yml').read_text()
  (service,) = yaml.safe_load(text)['services'].values()
  return service


def test_the_model_has_the_clients_name():
  assert _model().name == client.DEFAULT_MODEL
  assert _model().model_platform == 'tensorflow'


def test_the_container_sees_model_and_config():
  mounts = [volume.rsplit(':', 2)[1:] for volume in _service()['volumes']]
  assert [_model().base_path, 'ro'] in mounts
  assert ['/config/models.config', 'ro'] in mounts
  assert '--model_config_file=/config/models.config' in _service()['command']


def test_only_this_machine_reaches_the_ports():
  assert _service()['ports'] == ['127.0.0.1:8500:8500', '127.0.0.1:8501:8501']


def test_the_servers_version_is_the_apis():
  installed = importlib.metadata.version('tensorflow-serving-api')
  assert _service()['image'] == f'tensorflow/serving:{installed}'
