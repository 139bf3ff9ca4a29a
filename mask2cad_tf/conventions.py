"""Frames, orders, units and names: every module speaks this language.

Camera. Pix3D's: origin at the optical centre, +x to the image's LEFT, +y up,
+z forward (right-handed). A CAD vertex v goes to the camera by X = R v + t and
to the image by u = cx - fx X / Z, v = cy - fy Y / Z (both minus).

CAD. Vertices as stored in the file; +y up, front towards -z (as 203 of Pix3D's
221 chairs have it, the others being undecided or backless), left-right
symmetric about the plane x = 0 unless a measurement says otherwise.

Orders. Boxes are (ymin, xmin, ymax, xmax), pixels, the maxima exclusive;
`predict`'s JSON alone uses (x0, y0, x1, y1). Image points are (x, y), pixels,
the centre of the top-left pixel at (0.5, 0.5). Quaternions are (w, x, y, z).
Intrinsics are (fx, fy, cx, cy), pixels. Class id 0 is the background.

Rotation frames. 'camera': R as above. 'allocentric': R as it looks from the
ray through the object's centre, R_camera = R_ray R_allocentric, where R_ray is
the smallest rotation that takes +z to that ray.

Shape letters. B batch, N rois or detections, Q sampled rois, O pool objects,
V views, K pose bins, C classes (with background), E embedding, M mask side.

| paper   | code                 | paper    | code                             |
|---------|----------------------|----------|----------------------------------|
| F_i     | roi_features         | f^im     | image_embedding                  |
| M_i     | roi_mask_probs       | f^obj    | shape_embedding                  |
| M_i∘F_i | object_features      | tau, C   | temperature, negative_weight     |
| Q       | num_sampled_rois     | P_h, N_h | num_hard_positives, _negatives   |
| k views | num_views            | K, theta | num_pose_bins, refine_max_angle  |
| dx, dy  | center_offsets       | N_k      | num_neighbors                    |
"""

# Pix3D's classes, alphabetical as in the Mesh R-CNN splits; id = 1 + index.
PIX3D_CLASSES = (
  'bed',
  'bookcase',
  'chair',
  'desk',
  'misc',
  'sofa',
  'table',
  'tool',
  'wardrobe',
)

# The paper's eight of Scan2CAD, alphabetical (Sec. 4); id = 1 + index.
SCANNET_CLASSES = (
  'bed',
  'bin',
  'bookcase',
  'cabinet',
  'chair',
  'display',
  'sofa',
  'table',
)

# The classes of ImageNet (ILSVRC 2012) that belong to ours; one may belong to
# two. What is not here, ImageNet does not know.
IMAGENET_CLASSES = {
  'bed': (516, 520, 564, 750, 831),  # cradle, crib, four-poster, quilt, couch
  'bin': (412,),  # ashcan
  'bookcase': (453, 493, 495),  # bookcase, chiffonier, china cabinet
  'cabinet': (493, 495, 553, 648),  # chiffonier, china, file, medicine cabinet
  'chair': (423, 559, 765, 857),  # barber, folding, rocking chair, throne
  'desk': (526,),  # desk
  'display': (664, 782, 851),  # monitor, screen, television
  'sofa': (831,),  # studio couch
  'table': (526, 532, 736, 762),  # desk, dining, pool table, restaurant
  # broom, carpenter's kit, cleaver, hatchet, hammer, plunger, power drill,
  # screw, screwdriver, shovel, spatula
  'tool': (462, 477, 499, 596, 587, 731, 740, 783, 784, 792, 813),
  'wardrobe': (493, 495, 894),  # chiffonier, china cabinet, wardrobe
}

# The classes of OpenImages, of the 24 of layers.openimages_detector, that are
# ours, in the order of its outputs: their index among the 24.
OPENIMAGES_CLASSES = {'chair': 5, 'desk': 7, 'display': 10, 'table': 15}

# Classes of either that lie on tables or hang as often as not.
OFF_THE_FLOOR = frozenset({'display', 'misc', 'tool'})

NUM_VIEWS = 16  # k canonical views of a CAD, Sec. 3.2
VIEW_SIZE = 128  # pixels, side of a rendered view
EMBEDDING_SIZE = 128  # Table 6
OUTER_BOX_SCALE = 1.25  # ShapeMask's outer box over the detected box

# Order of the symmetry group about the CAD's up axis (+y), Scan2CAD's labels.
SYMMETRY_ORDERS = {
  '__SYM_NONE': 1,
  '__SYM_ROTATE_UP_2': 2,
  '__SYM_ROTATE_UP_4': 4,
  '__SYM_ROTATE_UP_INF': 0,
}

# A photo of unknown focal length is taken to be a phone's main camera.
DEFAULT_FOCAL_35MM = 27.0  # mm, 35 mm equivalent
DEFAULT_MIN_SCORE = 0.5  # detections below are left out of scenes and exports
DIAGONAL_35MM = 43.267  # mm; f_px = f_35mm / DIAGONAL_35MM * diagonal_px
