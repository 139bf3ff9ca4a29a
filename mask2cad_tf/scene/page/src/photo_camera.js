// From the photo's camera (+x left, +y up, +z forward; pixels) to WebGL's
// (+x right, +y up, -z forward): a half turn about y.
import {Matrix4} from 'three';

/** Projection of WebGL's camera frame that puts pixel (u, v) where it is. */
export function projection({fx, fy, cx, cy}, {width, height}, near, far) {
  const depth = far - near;
  return new Matrix4().set(
    2 * fx / width, 0, 1 - 2 * cx / width, 0,
    0, 2 * fy / height, 2 * cy / height - 1, 0,
    0, 0, -(far + near) / depth, -2 * far * near / depth,
    0, 0, -1, 0);
}

/** Pose of a CAD in WebGL's frame: X = s R v + t, then the half turn. */
export function pose({rotation: r, translation: t, scale: s}) {
  return new Matrix4().set(
    -s * r[0][0], -s * r[0][1], -s * r[0][2], -t[0],
    s * r[1][0], s * r[1][1], s * r[1][2], t[1],
    -s * r[2][0], -s * r[2][1], -s * r[2][2], -t[2],
    0, 0, 0, 1);
}

/** WebGL's corners of the photo at distance z: from top left, clockwise. */
export function corners({fx, fy, cx, cy}, {width, height}, z) {
  return [[0, 0], [width, 0], [width, height], [0, height]].map(
    ([u, v]) => [(u - cx) / fx * z, (cy - v) / fy * z, -z]);
}
