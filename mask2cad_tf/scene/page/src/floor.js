// A thin grid where the objects stand, if they stand on one floor.
import {Box3, BufferGeometry, Float32BufferAttribute, LineBasicMaterial, LineSegments, Matrix4, Vector3} from 'three';

const LEAST_COSINE = Math.cos(Math.PI / 9); // of a CAD's up and all CADs' up
const MOST_APART = 0.2; // lowest points, in terms of the mean height
const CELLS = 7; // across what stands there, about
const MARGIN = 2; // cells around it

/** Lines of the floor under the objects; null where there is none for all. */
export function floorUnder(objects, plane) {
  const boxes = objects.map(localBox);
  const ups = objects.map(({matrix}) => new Vector3().setFromMatrixColumn(matrix, 1).normalize());
  const up = plane ? inWebGL(plane.normal) : ups.reduce((sum, one) => sum.add(one), new Vector3()).normalize();
  const feet = objects.map(({matrix}, index) => {
    const {min, max} = boxes[index];
    return new Vector3((min.x + max.x) / 2, min.y, (min.z + max.z) / 2).applyMatrix4(matrix).dot(up);
  });
  let height = plane && -plane.distance;
  if (!plane) {
    const sizes = objects.map(({matrix}, index) => (boxes[index].max.y - boxes[index].min.y) * matrix.getMaxScaleOnAxis());
    const mean = sizes.reduce((sum, one) => sum + one, 0) / sizes.length;
    height = Math.min(...feet);
    if (ups.some((one) => one.dot(up) < LEAST_COSINE) || Math.max(...feet) - height > MOST_APART * mean) return null;
  }
  return grid(objects, boxes, up, height);
}

/** From the photo's camera to WebGL's frame, as photo_camera.js. */
function inWebGL([x, y, z]) {
  return new Vector3(-x, y, -z).normalize();
}

/** A CAD's box in its own frame. */
function localBox(object) {
  const box = new Box3();
  const back = object.matrixWorld.clone().invert();
  object.traverse((node) => {
    if (!node.isMesh) return;
    node.geometry.computeBoundingBox();
    box.union(node.geometry.boundingBox.clone().applyMatrix4(new Matrix4().multiplyMatrices(back, node.matrixWorld)));
  });
  return box;
}

/** Lines along the first object's sides, a few cells beyond all objects. */
function grid(objects, boxes, up, height) {
  const along = new Vector3().setFromMatrixColumn(objects[0].matrix, 0).projectOnPlane(up).normalize();
  const axes = [along, new Vector3().crossVectors(up, along)];
  const spans = axes.map((axis) => {
    const places = objects.flatMap(({matrix}, index) => corners(boxes[index]).map((corner) => corner.applyMatrix4(matrix).dot(axis)));
    return [Math.min(...places), Math.max(...places)];
  });
  const step = roundStep(Math.max(...spans.map(([low, high]) => high - low)) / CELLS);
  const [first, second] = spans.map(([low, high]) => [Math.floor(low / step) - MARGIN, Math.ceil(high / step) + MARGIN]);
  const at = (a, b) => new Vector3().addScaledVector(up, height).addScaledVector(axes[0], a * step).addScaledVector(axes[1], b * step).toArray();
  const lines = [];
  for (let a = first[0]; a <= first[1]; a++) lines.push(...at(a, second[0]), ...at(a, second[1]));
  for (let b = second[0]; b <= second[1]; b++) lines.push(...at(first[0], b), ...at(first[1], b));
  const geometry = new BufferGeometry();
  geometry.setAttribute('position', new Float32BufferAttribute(lines, 3));
  return new LineSegments(geometry, new LineBasicMaterial({color: 0x9aa7b8, transparent: true, opacity: 0.3, depthWrite: false}));
}

function corners({min, max}) {
  return [min.x, max.x].flatMap((x) => [min.y, max.y].flatMap((y) => [min.z, max.z].map((z) => new Vector3(x, y, z))));
}

/** 1, 2 or 5 times a power of ten, the largest that is not above `size`. */
function roundStep(size) {
  const power = 10 ** Math.floor(Math.log10(size));
  return power * [5, 2, 1].find((factor) => factor * power <= size);
}
