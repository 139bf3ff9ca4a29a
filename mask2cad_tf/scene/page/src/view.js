// The CADs in WebGL: over the photo by its own camera, or from all sides.
import {AmbientLight, Box3, BufferGeometry, CanvasTexture, Color, DirectionalLight, DoubleSide, Float32BufferAttribute, Group, LineBasicMaterial, LineLoop, LineSegments, Mesh, MeshBasicMaterial, PerspectiveCamera, Raycaster, Scene, SRGBColorSpace, Vector2, Vector3, WebGLRenderer} from 'three';
import {OrbitControls} from 'three/addons/controls/OrbitControls.js';
import {GLTFExporter} from 'three/addons/exporters/GLTFExporter.js';
import {GLTFLoader} from 'three/addons/loaders/GLTFLoader.js';
import {floorUnder} from './floor.js';
import {corners, pose, projection} from './photo_camera.js';

export class View {
  /** Throws where there is no WebGL. `cads`: bytes of a GLB, a node a CAD. */
  constructor(canvas, {camera, image, ground_plane: plane}, colors) {
    this.canvas = canvas;
    this.intrinsics = camera;
    this.size = image;
    this.plane = plane;
    this.colors = colors;
    this.renderer = new WebGLRenderer({canvas, alpha: true, antialias: true, powerPreference: 'low-power'});
    this.scene = new Scene();
    this.objects = new Group();
    this.backdrop = new Group();
    this.backdrop.visible = false;
    this.floor = new Group();
    this.floor.visible = false;
    this.photoCamera = new PerspectiveCamera();
    this.orbitCamera = new PerspectiveCamera(50, 1, 0.01, 1000);
    this.camera = this.photoCamera;
    const sun = new DirectionalLight(0xffffff, 1.9);
    sun.position.set(-0.6, 1, 0.8);
    this.scene.add(new AmbientLight(0xffffff, 1.3), sun, this.objects, this.backdrop, this.floor);
    this.controls = new OrbitControls(this.orbitCamera, canvas);
    this.controls.enabled = false;
    this.controls.addEventListener('change', () => this.draw());
    this.raycaster = new Raycaster();
  }

  async load(cads) {
    const {scene} = await new GLTFLoader().parseAsync(cads, '');
    this.cads = new Map();
    scene.traverse((node) => {
      if (node.userData.cad_id) this.cads.set(node.userData.cad_id, node);
    });
  }

  has(cadId) {
    return this.cads.has(cadId);
  }

  /** Who made a CAD, and under which licence; '' where that is not known. */
  credit(cadId) {
    const {creator, licence} = this.cads.get(cadId).userData;
    return [creator && `by ${creator}`, licence].filter(Boolean).join(', ');
  }

  /** Puts a candidate in the place of object `index`. */
  place(index, candidate) {
    const object = this.cads.get(candidate.cad_id).clone();
    object.name = candidate.cad_id;
    object.traverse((node) => {
      node.matrixAutoUpdate = false;
      if (node.isMesh) node.material = [node.material].flat()[0].clone();
    });
    object.matrix.copy(pose(candidate));
    object.userData = {...object.userData, index};
    const old = this.objects.children.find((child) => child.userData.index === index);
    if (old) this.objects.remove(old);
    this.objects.add(object);
    this.scene.updateMatrixWorld(true);
    this.setWireframe(this.wireframe);
    this.select(this.selected);
  }

  /** Depths that all objects lie between, for the photo's camera; their floor. */
  frame() {
    this.box = new Box3().setFromObject(this.objects);
    const far = Math.max(1e-3, -this.box.min.z);
    this.far = 1.15 * far;
    const near = Math.max(1e-3 * far, 0.5 * -this.box.max.z);
    this.photoCamera.projectionMatrix.copy(projection(this.intrinsics, this.size, near, 2 * far));
    this.photoCamera.projectionMatrixInverse.copy(this.photoCamera.projectionMatrix).invert();
    const floor = floorUnder(this.objects.children, this.plane);
    this.floor.children.forEach(({geometry}) => geometry.dispose());
    this.floor.clear();
    if (floor) this.floor.add(floor);
  }

  /** The photo as a wall behind the objects, and the rays to its corners. */
  setBackdrop(photo) {
    const wall = corners(this.intrinsics, this.size, this.far);
    const geometry = new BufferGeometry();
    geometry.setAttribute('position', new Float32BufferAttribute(wall.flat(), 3));
    geometry.setAttribute('uv', new Float32BufferAttribute([0, 1, 1, 1, 1, 0, 0, 0], 2));
    geometry.setIndex([0, 3, 2, 0, 2, 1]);
    const pixels = document.createElement('canvas');
    [pixels.width, pixels.height] = [photo.naturalWidth, photo.naturalHeight];
    pixels.getContext('2d').drawImage(photo, 0, 0);
    const texture = new CanvasTexture(pixels);
    texture.colorSpace = SRGBColorSpace;
    const line = new LineBasicMaterial({color: 0x6db3ff, transparent: true, opacity: 0.55});
    const rays = new BufferGeometry();
    rays.setAttribute('position', new Float32BufferAttribute(wall.flatMap((corner) => [0, 0, 0, ...corner]), 3));
    this.backdrop.add(
      new Mesh(geometry, new MeshBasicMaterial({map: texture, side: DoubleSide})),
      new LineSegments(rays, line),
      new LineLoop(geometry.clone().setIndex(null), line));
  }

  setOrbit(orbit) {
    this.camera = orbit ? this.orbitCamera : this.photoCamera;
    this.backdrop.visible = this.floor.visible = orbit;
    this.controls.enabled = orbit;
    if (orbit && !this.turned) {
      this.turned = true;
      const target = this.box.getCenter(new Vector3());
      const up = new Vector3();
      for (const {matrix} of this.objects.children) up.add(new Vector3().setFromMatrixColumn(matrix, 1).normalize());
      this.orbitCamera.up.copy(up.lengthSq() > 0.01 ? up.normalize() : up.set(0, 1, 0));
      this.orbitCamera.position.copy(target).multiplyScalar(-1.6)
        .applyAxisAngle(this.orbitCamera.up, -0.5).add(target)
        .addScaledVector(this.orbitCamera.up, 0.3 * target.length());
      this.orbitCamera.near = 1e-3 * this.far;
      this.orbitCamera.far = 20 * this.far;
      this.controls.target.copy(target);
      this.controls.update();
    }
  }

  resize(width, height) {
    this.renderer.setPixelRatio(Math.min(2, window.devicePixelRatio));
    this.renderer.setSize(width, height, false);
    this.orbitCamera.aspect = width / height;
    this.orbitCamera.fov = 55;
    this.orbitCamera.updateProjectionMatrix();
    this.draw();
  }

  setWireframe(on = false) {
    this.wireframe = on;
    this.eachMaterial((material) => { material.wireframe = on; });
  }

  select(index) {
    this.selected = index;
    this.eachMaterial((material, owner) => {
      material.emissive?.copy(new Color(owner === index ? this.colors[index] : 0)).multiplyScalar(0.12);
    });
  }

  eachMaterial(visit) {
    for (const object of this.objects.children) {
      object.traverse((node) => {
        if (node.isMesh) visit(node.material, object.userData.index);
      });
    }
  }

  /** Index of the object under a pointer event; undefined beside all. */
  pick({clientX, clientY}) {
    const {left, top, width, height} = this.canvas.getBoundingClientRect();
    const point = new Vector2(2 * (clientX - left) / width - 1, 1 - 2 * (clientY - top) / height);
    this.raycaster.ray.origin.setFromMatrixPosition(this.camera.matrixWorld);
    this.raycaster.ray.direction.set(point.x, point.y, 0.5).unproject(this.camera).sub(this.raycaster.ray.origin).normalize();
    const [hit] = this.raycaster.intersectObjects(this.objects.children);
    let node = hit?.object;
    while (node && node.userData.index === undefined) node = node.parent;
    return node?.userData.index;
  }

  draw() {
    this.renderer.render(this.scene, this.camera);
  }

  /** The scene as shown, as a GLB: bytes. */
  async glb() {
    const scene = new Scene();
    for (const object of this.objects.children) {
      const copy = object.clone();
      copy.traverse((node) => {
        if (!node.isMesh) return;
        node.material = node.material.clone();
        node.material.wireframe = false;
        node.material.emissive?.set(0);
      });
      scene.add(copy);
    }
    scene.updateMatrixWorld(true);
    return new GLTFExporter().parseAsync(scene, {binary: true});
  }
}
