"""An RoI or a view averaged into G x G cells, laid out as one vector."""

import tensorflow as tf


def pool(features: tf.Tensor, grid_size: int) -> tf.Tensor:
  """Averages the cells of a grid.

  Args:
    features: [n, H, W, F], H and W multiples of `grid_size`.
    grid_size: G; 1 is the mean over all of it (Tables 6-8, row 4).

  Returns:
    [n, G * G * F], row by row.

  Raises:
    ValueError: the grid does not divide the map.
  """
  height, width, channels = features.shape[1:]
  if height % grid_size or width % grid_size:
    raise ValueError(
      f'A map of {height} x {width} cells cannot be cut into {grid_size} x '
      f'{grid_size}: choose cad_head.grid_size among its divisors.'
    )
  if grid_size == 1:
    return tf.reduce_mean(features, axis=[1, 2])
  window = [height // grid_size, width // grid_size]
  cells = tf.nn.avg_pool2d(features, window, window, 'VALID')
  return tf.reshape(cells, [-1, grid_size * grid_size * channels])


def channels_a_cell(size: int, grid_size: int) -> int:
  """Channels with which a G x G grid makes a vector of `size` numbers.

  Raises:
    ValueError: the grid does not divide the size.
  """
  cells = grid_size * grid_size
  if size % cells:
    raise ValueError(
      f'cad_head.embedding_size is {size}, no multiple of the {cells} cells of '
      f'cad_head.grid_size = {grid_size}.'
    )
  return size // cells
