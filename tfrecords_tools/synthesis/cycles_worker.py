"""Draws scenes with Blender's path tracer; a script for the Python with bpy.

  python cycles_worker.py FOLDER

Reads one JSON request a line from standard input,
{"scene": "scene.npz", "output": "image.npy", "samples": 8, "threads": 1},
and answers each with a line: {"ok": true} or {"error": "..."}. The first line
is {"ready": Blender's version}. The scene is what `cycles_scene` packs, the
output float32 [height, width, 4]: linear, premultiplied by alpha. FOLDER is
for this script's own files; it is removed when standard input ends, so that
nothing is left of a program that was killed.

Imports nothing of this project: it runs where that is not installed.
"""

import contextlib
import json
import os
import shutil
import sys

import numpy as np

_SENSOR = 36.0  # mm; only ratios matter
_BOUNCES = 4
_CLAMP_DIRECT, _CLAMP_INDIRECT = 8.0, 3.0  # against fireflies
_MAP_SIZE = 512  # pixels across, in which suns of a panorama are looked for
_GROUND = 60.0  # metres, half the side of a shadow catcher
_RAY_DISTANCE = 1e5  # metres: everything
_NO_DISTANCE = 2e-3  # metres between faces that count as one


def main(folder):
  """Answers requests until standard input ends."""
  # Blender prints to standard output: keep that for replies, send it to the
  # log instead.
  replies = os.fdopen(os.dup(1), 'w')
  os.dup2(2, 1)

  def reply(**content):
    replies.write(json.dumps(content) + '\n')
    replies.flush()

  try:
    import bpy
  except ImportError as error:
    reply(error=f'bpy does not import: {error}')
    return
  reply(ready=bpy.app.version_string)
  try:
    for line in sys.stdin:
      request = json.loads(line)
      _forget_log()
      try:
        with np.load(request['scene']) as arrays:
          pixels = _draw(bpy, arrays, request, folder)
        np.save(request['output'], pixels)
        reply(ok=True)
      except Exception as error:  # to be told, whatever it is
        reply(error=f'{type(error).__name__}: {error}')
  finally:
    shutil.rmtree(folder, ignore_errors=True)


def _forget_log():
  """Blender writes kilobytes a picture; only the last one's are of use."""
  with contextlib.suppress(OSError):  # standard error may be no file
    os.ftruncate(2, 0)
    os.lseek(2, 0, os.SEEK_SET)


def to_blender(points):
  """World points [n, 3], +y up, in Blender's world, +z up."""
  points = np.asarray(points)
  return np.stack([points[:, 0], -points[:, 2], points[:, 1]], axis=-1)


def camera_matrix(rotation, translation):
  """Blender's camera to its world, [4, 4].

  Args:
    rotation: [3, 3], world to camera; the camera's +x is left, +z forward.
    translation: [3], metres.

  Returns:
    The matrix; Blender's camera has +x right and looks along -z.
  """
  to_world = rotation.T
  axes = to_world * np.array([-1.0, 1.0, -1.0])
  matrix = np.eye(4)
  matrix[:3, :3] = to_blender(axes.T).T
  matrix[:3, 3] = to_blender((-to_world @ translation)[np.newaxis])[0]
  return matrix


def lens_shift(intrinsics, height, width):
  """Blender's (lens in mm, shift_x, shift_y, pixel_aspect_y).

  Args:
    intrinsics: fx, fy, cx, cy, pixels.
    height: of the picture, pixels.
    width: of the picture, pixels.

  Returns:
    Lens and shifts for a sensor of 36 mm that fits the picture's width.
  """
  fx, fy, cx, cy = (float(value) for value in intrinsics)
  shift_x = (width / 2 - cx) / width
  shift_y = (cy - height / 2) / width * (fx / fy)
  return fx / width * _SENSOR, shift_x, shift_y, fx / fy


def _draw(bpy, arrays, request, folder):
  """Float32 [height, width, 4], upper row first."""
  head = json.loads(str(arrays['head']))
  bpy.ops.wm.read_factory_settings(use_empty=True)
  scene = bpy.context.scene
  _set_up(scene, head, request)
  _add_world(bpy, scene, head, arrays)
  materials = [
    _material(bpy, item, arrays, index)
    for index, item in enumerate(head['materials'])
  ]
  for index, part in enumerate(head['parts']):
    _add_part(bpy, scene, part, arrays, index, materials)
  for light in head['lights']:
    _add_light(bpy, scene, light)
  if head['shadow_catcher']:
    _add_ground(bpy, scene)
  _add_camera(bpy, scene, head['camera'])
  path = os.path.join(folder, 'render.exr')
  scene.render.filepath = path
  bpy.ops.render.render(write_still=True)
  image = bpy.data.images.load(path)
  image.colorspace_settings.name = 'Non-Color'
  pixels = np.empty(image.size[0] * image.size[1] * 4, np.float32)
  image.pixels.foreach_get(pixels)
  os.remove(path)
  pixels = pixels.reshape(image.size[1], image.size[0], 4)[::-1]
  bpy.ops.wm.read_factory_settings(use_empty=True)  # frees everything
  return np.ascontiguousarray(pixels)


def _set_up(scene, head, request):
  render, cycles = scene.render, scene.cycles
  render.engine = 'CYCLES'
  render.threads_mode = 'FIXED'
  render.threads = request['threads']
  render.resolution_x = head['camera']['width']
  render.resolution_y = head['camera']['height']
  render.resolution_percentage = 100
  render.film_transparent = True
  render.use_persistent_data = False
  render.use_compositing = render.use_sequencer = False
  settings = render.image_settings
  settings.file_format, settings.color_mode = 'OPEN_EXR', 'RGBA'
  settings.color_depth, settings.exr_codec = '32', 'NONE'
  cycles.device = 'CPU'
  cycles.samples, cycles.seed = request['samples'], head['seed']
  cycles.use_adaptive_sampling = False
  cycles.use_denoising, cycles.denoiser = True, 'OPENIMAGEDENOISE'
  cycles.denoising_use_gpu = False
  cycles.denoising_input_passes = 'RGB_ALBEDO_NORMAL'
  cycles.denoising_prefilter = 'FAST'
  cycles.sample_clamp_direct = _CLAMP_DIRECT
  cycles.sample_clamp_indirect = _CLAMP_INDIRECT
  cycles.max_bounces = cycles.diffuse_bounces = _BOUNCES
  cycles.glossy_bounces = 2
  cycles.transmission_bounces = cycles.volume_bounces = 0
  cycles.caustics_reflective = cycles.caustics_refractive = False
  cycles.blur_glossy = 1.0
  # Rooms are closed. After a bounce, rays that meet nothing near by bring the
  # ambient light: what comes in by windows that nobody modelled.
  cycles.use_fast_gi, cycles.fast_gi_method = True, 'REPLACE'
  cycles.ao_bounces_render = head['bounces_before_ambient']


def _add_world(bpy, scene, head, arrays):
  world = bpy.data.worlds.new('world')
  scene.world = world
  world.use_nodes = True
  world.light_settings.distance = head['ambient_distance']
  nodes, links = world.node_tree.nodes, world.node_tree.links
  background = nodes['Background']
  background.inputs['Color'].default_value = (*head['ambient'], 1.0)
  if head['panorama']:
    image = bpy.data.images.load(head['panorama'])
  elif 'environment' in arrays:
    image = _float_image(bpy, arrays['environment'])
  else:
    world.cycles.sampling_method = 'NONE'
    return
  world.cycles.sampling_method = 'MANUAL'
  world.cycles.sample_map_resolution = _MAP_SIZE
  texture = nodes.new('ShaderNodeTexEnvironment')
  texture.image = image
  mapping = nodes.new('ShaderNodeMapping')
  mapping.inputs['Rotation'].default_value[2] = head['panorama_turn']
  places = nodes.new('ShaderNodeTexCoord')
  tint = nodes.new('ShaderNodeMix')
  tint.data_type, tint.blend_type = 'RGBA', 'MULTIPLY'
  tint.inputs['Factor'].default_value = 1.0
  # The panorama gives directions; how bright and how blue, the scene says.
  scale = np.array(head['ambient']) / np.maximum(_mean_radiance(image), 1e-6)
  # Sockets of the colour version of the node.
  tint.inputs[7].default_value = (*scale, 1.0)
  links.new(places.outputs['Generated'], mapping.inputs['Vector'])
  links.new(mapping.outputs['Vector'], texture.inputs['Vector'])
  links.new(texture.outputs['Color'], tint.inputs[6])
  links.new(tint.outputs[2], background.inputs['Color'])


def _mean_radiance(image):
  """Of a panorama, by solid angle, [3]."""
  width, height = image.size
  pixels = np.empty(width * height * image.channels, np.float32)
  image.pixels.foreach_get(pixels)
  rows = pixels.reshape(height, width, -1)[..., :3].mean(axis=1)
  angles = np.sin((np.arange(height) + 0.5) / height * np.pi)
  return angles @ rows / angles.sum()


def _float_image(bpy, pixels):
  height, width = pixels.shape[:2]
  image = bpy.data.images.new('panorama', width, height, float_buffer=True)
  image.colorspace_settings.name = 'Non-Color'
  rgba = np.ones((height, width, 4), np.float32)
  rgba[..., :3] = pixels[::-1]
  image.pixels.foreach_set(rgba.reshape(-1))
  image.update()
  return image


def _material(bpy, item, arrays, index):
  material = bpy.data.materials.new(f'material{index}')
  material.use_nodes = True
  nodes, links = material.node_tree.nodes, material.node_tree.links
  shader = nodes['Principled BSDF']
  inputs = shader.inputs
  color = (*item['color'], 1.0)
  inputs['Base Color'].default_value = color
  inputs['Roughness'].default_value = item['roughness']
  inputs['Specular IOR Level'].default_value = item['specular']
  inputs['Metallic'].default_value = item['metallic']
  inputs['Emission Color'].default_value = color
  inputs['Emission Strength'].default_value = item['emission']
  # Lamps and screens are seen, and shine by chance only: sampling each of
  # them costs more than it shows.
  material.cycles.emission_sampling = 'NONE'
  name = f'texture{index}'
  if name in arrays:
    texture = nodes.new('ShaderNodeTexImage')
    texture.image = _byte_image(bpy, name, arrays[name])
    tint = nodes.new('ShaderNodeMix')
    tint.data_type, tint.blend_type = 'RGBA', 'MULTIPLY'
    tint.inputs['Factor'].default_value = 1.0
    tint.inputs[7].default_value = color
    links.new(texture.outputs['Color'], tint.inputs[6])
    links.new(tint.outputs[2], inputs['Base Color'])
    if item['emission'] > 0:
      links.new(tint.outputs[2], inputs['Emission Color'])
  if item['overlaps']:
    _ignore_twins(nodes, links, shader)
  return material


def _ignore_twins(nodes, links, shader):
  """Lets light through what lies nearly in the plane that it comes from.

  CADs have faces that overlap in one plane; each would shadow the other.
  """
  path = nodes.new('ShaderNodeLightPath')
  near = nodes.new('ShaderNodeMath')
  near.operation = 'LESS_THAN'
  near.inputs[1].default_value = _NO_DISTANCE
  both = nodes.new('ShaderNodeMath')
  both.operation = 'SUBTRACT'
  both.use_clamp = True
  clear = nodes.new('ShaderNodeBsdfTransparent')
  mix = nodes.new('ShaderNodeMixShader')
  links.new(path.outputs['Ray Length'], near.inputs[0])
  links.new(near.outputs[0], both.inputs[0])
  links.new(path.outputs['Is Camera Ray'], both.inputs[1])
  links.new(both.outputs[0], mix.inputs[0])
  links.new(shader.outputs[0], mix.inputs[1])
  links.new(clear.outputs[0], mix.inputs[2])
  links.new(mix.outputs[0], nodes['Material Output'].inputs['Surface'])


def _byte_image(bpy, name, pixels):
  height, width = pixels.shape[:2]
  image = bpy.data.images.new(name, width, height)
  rgba = np.ones((height, width, 4), np.float32)
  rgba[..., :3] = pixels[::-1] / np.float32(255.0)
  image.pixels.foreach_set(rgba.reshape(-1))
  image.update()
  return image


def _add_part(bpy, scene, part, arrays, index, materials):
  vertices = to_blender(arrays[f'vertices{index}']).astype(np.float32)
  faces = arrays[f'faces{index}'].astype(np.int32)
  mesh = bpy.data.meshes.new(f'part{index}')
  mesh.vertices.add(len(vertices))
  mesh.vertices.foreach_set('co', vertices.reshape(-1))
  mesh.loops.add(faces.size)
  mesh.loops.foreach_set('vertex_index', faces.reshape(-1))
  mesh.polygons.add(len(faces))
  mesh.polygons.foreach_set(
    'loop_start', np.arange(0, faces.size, 3, dtype=np.int32)
  )
  mesh.polygons.foreach_set('use_smooth', np.full(len(faces), part['smooth']))
  if f'uv{index}' in arrays:
    layer = mesh.uv_layers.new()
    layer.data.foreach_set('uv', arrays[f'uv{index}'].reshape(-1))
  mesh.materials.append(materials[part['material']])
  mesh.update(calc_edges=True)
  item = bpy.data.objects.new(mesh.name, mesh)
  # Lamps shine through the room: a sun may stand outside of it.
  item.visible_shadow = not part['room']
  scene.collection.objects.link(item)


def _add_light(bpy, scene, light):
  lamp = bpy.data.lights.new('lamp', 'POINT')
  lamp.color = light['color']
  lamp.energy = light['energy']
  lamp.shadow_soft_size = light['radius']
  # Rays that bounce would miss a lamp behind a wall: only aim at it.
  lamp.cycles.use_multiple_importance_sampling = False
  item = bpy.data.objects.new('lamp', lamp)
  item.location = to_blender([light['position']])[0]
  item.visible_camera = False
  scene.collection.objects.link(item)


def _add_ground(bpy, scene):
  corners = [(x, y, 0.0) for x in (-1, 1) for y in (-1, 1)]
  mesh = bpy.data.meshes.new('ground')
  mesh.from_pydata(_GROUND * np.array(corners), [], [(0, 2, 3, 1)])
  item = bpy.data.objects.new('ground', mesh)
  item.is_shadow_catcher = True
  scene.collection.objects.link(item)


def _add_camera(bpy, scene, head):
  from mathutils import Matrix

  camera = bpy.data.cameras.new('camera')
  camera.sensor_fit, camera.sensor_width = 'HORIZONTAL', _SENSOR
  camera.lens, camera.shift_x, camera.shift_y, aspect = lens_shift(
    head['intrinsics'], head['height'], head['width']
  )
  # Blender wants both aspects to be at least one.
  scene.render.pixel_aspect_x = max(1.0, 1.0 / aspect)
  scene.render.pixel_aspect_y = max(1.0, aspect)
  camera.clip_start, camera.clip_end = 0.01, _RAY_DISTANCE
  if head['aperture'] > 0:
    camera.dof.use_dof = True
    camera.dof.focus_distance = head['focus']
    camera.dof.aperture_fstop = camera.lens * 1e-3 / head['aperture']
  item = bpy.data.objects.new('camera', camera)
  item.matrix_world = Matrix(
    camera_matrix(
      np.array(head['rotation']), np.array(head['translation'])
    ).tolist()
  )
  scene.collection.objects.link(item)
  scene.camera = item


if __name__ == '__main__':
  main(sys.argv[1])
