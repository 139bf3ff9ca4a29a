"""The one list of record keys: names, shapes, units.

Two kinds of TFRecord files. *Image records*: one tf.train.Example per photo;
the keys shared with Model Garden's `TfExampleDecoder` keep its names. *View
records*: one Example per CAD model, its canonical renderings.
"""

# --- Image records. n objects per photo; lists are flattened, object-major. ---
IMAGE_ENCODED = 'image/encoded'  # bytes, JPEG or PNG
IMAGE_FORMAT = 'image/format'  # bytes, 'jpeg' or 'png'
IMAGE_FILENAME = 'image/filename'  # bytes, path inside the dataset
IMAGE_SOURCE_ID = 'image/source_id'  # bytes, decimal, unique in the set
IMAGE_HEIGHT = 'image/height'  # int64, pixels
IMAGE_WIDTH = 'image/width'  # int64, pixels
INTRINSICS = 'image/camera/intrinsics'  # float [4], fx, fy, cx, cy, pixels

BOX_XMIN = 'image/object/bbox/xmin'  # float [n], fraction of the width
BOX_XMAX = 'image/object/bbox/xmax'  # float [n], exclusive
BOX_YMIN = 'image/object/bbox/ymin'  # float [n], fraction of the height
BOX_YMAX = 'image/object/bbox/ymax'  # float [n], exclusive
CLASS_LABEL = 'image/object/class/label'  # int64 [n], 1..num_classes - 1
CLASS_TEXT = 'image/object/class/text'  # bytes [n]
IS_CROWD = 'image/object/is_crowd'  # int64 [n]
AREA = 'image/object/area'  # float [n], mask pixels
MASK = 'image/object/mask'  # bytes [n], PNG, 0 or 255, full size

CAD_ID = 'image/object/cad/id'  # bytes [n], '<class>/<shape>'
CAD_MESH = 'image/object/cad/mesh'  # bytes [n], mesh path in the library
ROTATION = 'image/object/pose/rotation'  # float [n * 4], (w, x, y, z), camera
TRANSLATION = 'image/object/pose/translation'  # float [n * 3], CAD units
DEPTH = 'image/object/pose/depth'  # float [n], the z given at test time
OCCLUDED = 'image/object/occluded'  # int64 [n], 0 or 1
SLIGHTLY_OCCLUDED = 'image/object/slightly_occluded'  # int64 [n], 0 or 1
TRUNCATED = 'image/object/truncated'  # int64 [n], 0 or 1
JITTERED_VIEW = 'image/object/view/encoded'  # bytes [n], PNG 128x128 grey

# Only where the source knows them.
AMODAL_MASK = 'image/object/amodal_mask'  # bytes [n], PNG as MASK, unoccluded
OCCLUDED_SHARE = 'image/object/occluded_share'  # float [n], of the amodal mask
# X = R (scale v) + t; the translation and the depth are then metres.
CAD_SCALE = 'image/object/cad/scale'  # float [n * 3], x, y, z of the CAD frame
OBJECT_SYMMETRY = 'image/object/cad/symmetry'  # int64 [n], annotated, 0 = any
SCENE_ID = 'image/scene/id'  # bytes, scan that the photo belongs to
# From this photo's camera in Pix3D's axes (as all poses here) to the scan's
# own axes, which for ScanNet are +z up.
CAMERA_TO_WORLD = 'image/camera/to_world'  # float [16], row-major, metres

# Of mask2cad_tf.cache_features: the frozen backbone's features of the photo as
# the network sees it, by level; the frozen view stem's of the jittered views.
FEATURES = 'image/features/{level}'  # bytes, float16 [H_l, W_l, C_l]
FEATURES_SHAPE = 'image/features/{level}/shape'  # int64 [3]
FEATURES_LEVELS = 'image/features/levels'  # bytes [levels], '2', '3', ...
JITTERED_VIEW_FEATURES = 'image/object/view/features'  # bytes [n], float16

OPTIONAL_IMAGE_KEYS = (
  AMODAL_MASK,
  OCCLUDED_SHARE,
  CAD_SCALE,
  OBJECT_SYMMETRY,
  SCENE_ID,
  CAMERA_TO_WORLD,
)

# --- View records: one per CAD. ---
VIEW_CAD_ID = 'cad/id'  # bytes, '<class>/<shape>'
VIEW_CAD_GROUP = 'cad/group'  # bytes, id shared by near-duplicates
VIEW_CLASS_LABEL = 'cad/class/label'  # int64
VIEW_ENCODED = 'cad/views/encoded'  # bytes [16], PNG 128x128 grey
VIEW_FEATURES = 'cad/views/features'  # bytes [16], float16; where cached
VIEW_FEATURES_SHAPE = 'cad/views/features/shape'  # int64 [3]
VIEW_ROTATION = 'cad/views/rotation'  # float [16 * 4], (w, x, y, z)
SYMMETRY = 'cad/symmetry'  # int64, about +y; 0 = any angle
MIRROR_NORMAL = 'cad/mirror_normal'  # float [3], CAD; 0 0 0 = chiral

# --- Beside the shards: one JSON file that says what they hold. ---
MANIFEST_FILE = 'manifest.json'  # see tfrecords_tools/record_writer.py
FORMAT_VERSION = 1  # of the keys above and the manifest
