// Reads what the page carries, and joins picture, list and keys.
import {draw as drawMasks} from './masks.js';
import {Panel, facts} from './panel.js';
import {View} from './view.js';

const get = (id) => document.getElementById(id);

function say(text) {
  get('message').textContent = text;
  get('message').hidden = !text;
}

function bytes(base64) {
  return Uint8Array.from(atob(base64), (character) => character.charCodeAt(0)).buffer;
}

class Page {
  constructor({scene, photo, colors, notes}) {
    this.scene = scene;
    this.objects = scene.objects;
    this.colors = this.objects.map((_, index) => colors[index % colors.length]);
    this.orbit = false;
    this.selected = -1;
    const name = scene.image.path.split(/[\\/]/).pop();
    const {camera} = scene;
    const source = {flag: 'given', exif: 'from EXIF', default: "a phone's, assumed"}[camera.source] ?? camera.source;
    get('name').textContent = name;
    get('summary').textContent = `${this.objects.length} ${this.objects.length === 1 ? 'object' : 'objects'} \u00b7 focal length ${Math.round(camera.fx)} px (${source})`;
    get('notes').textContent = notes.join(' ');
    get('photo').alt = `Photo ${name}`;
    get('photo').src = photo;
    this.panel = new Panel(get('objects'), this.objects, this.colors, {
      onSelect: (index) => this.select(index),
      onCycle: (index, step) => this.cycle(index, step),
    });
    this.candidates = this.objects.map((object) => object.candidates);
    this.chosen = this.objects.map(() => 0);
    this.objects.forEach((_, index) => this.show(index));
    this.wire();
    this.layout();
  }

  /** Starts WebGL; without it photo, masks and list stay. */
  async start() {
    if (!this.objects.length) {
      say('No object was found in this photo. predict --min_score shows weaker detections.');
      return this.withoutView();
    }
    say('Loading the CADs \u2026');
    let view;
    try {
      view = new View(get('view'), this.scene, this.colors);
    } catch (error) {
      say('The CADs cannot be drawn: this browser has no WebGL, or it is switched off. overlay.png beside this page shows them.');
      get('show-masks').click();
      return this.withoutView();
    }
    try {
      await Promise.all([view.load(bytes(get('cad-meshes').textContent)), get('photo').decode()]);
      this.candidates = this.candidates.map((list) => list.filter(({cad_id: id}) => view.has(id)));
      this.candidates.forEach(([best], index) => view.place(index, best));
      view.frame();
      view.setBackdrop(get('photo'));
    } catch (error) {
      say(`The CADs of this page cannot be read (${error.message}). Write it again: python -m mask2cad_tf.predict`);
      return this.withoutView();
    }
    this.view = view;
    get('view').addEventListener('webglcontextlost', () => say('The browser has stopped drawing: the scene may be too large for it. Load the page again, or open scene.glb elsewhere.'));
    this.objects.forEach((_, index) => this.show(index));
    this.select(-1);
    this.layout();
    say('');
    document.documentElement.dataset.ready = 'true';
  }

  withoutView() {
    get('view').hidden = true;
    for (const id of ['orbit', 'cads', 'wireframe', 'download', 'opacity']) get(id).disabled = true;
    if (!this.objects.length) get('show-masks').disabled = true;
    for (const button of document.querySelectorAll('.cycle button')) button.disabled = true;
    document.documentElement.dataset.ready = 'false';
  }

  wire() {
    get('orbit').onclick = () => this.setOrbit(!this.orbit);
    get('cads').onclick = () => { get('view').style.visibility = this.toggle('cads') ? '' : 'hidden'; };
    get('wireframe').onclick = () => { this.view.setWireframe(this.toggle('wireframe')); this.view.draw(); };
    get('show-masks').onclick = () => {
      get('masks').hidden = !this.toggle('show-masks');
      if (!get('masks').hidden) drawMasks(get('masks'), this.objects, this.colors, this.scene.image);
    };
    get('opacity').oninput = () => this.layout();
    get('download').onclick = () => this.download();
    let down;
    get('view').onpointerdown = (event) => { down = event; };
    get('view').onclick = (event) => {
      if (Math.hypot(event.clientX - down.clientX, event.clientY - down.clientY) > 4) return;
      const index = this.view?.pick(event);
      if (index !== undefined) this.cycle(index, 1);
    };
    window.addEventListener('keydown', (event) => this.key(event));
    new ResizeObserver(() => this.layout()).observe(get('stage'));
  }

  key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.type === 'range') return;
    const button = {o: 'orbit', c: 'cads', m: 'show-masks', w: 'wireframe', d: 'download'}[event.key.toLowerCase()];
    const move = {ArrowDown: 1, ArrowUp: -1}[event.key];
    const step = {ArrowRight: 1, ArrowLeft: -1}[event.key];
    if (button) get(button).click();
    else if (move && this.objects.length) this.select((Math.max(this.selected, move < 0 ? 0 : -1) + move + this.objects.length) % this.objects.length);
    else if (step && this.selected >= 0) this.cycle(this.selected, step);
    else return;
    event.preventDefault();
  }

  toggle(id) {
    const on = get(id).getAttribute('aria-pressed') !== 'true';
    get(id).setAttribute('aria-pressed', on);
    return on;
  }

  setOrbit(on) {
    if (!this.view) return;
    this.orbit = on;
    get('orbit').setAttribute('aria-pressed', on);
    get('opacity').disabled = get('show-masks').disabled = on;
    this.view.setOrbit(on);
    this.layout();
  }

  show(index) {
    const list = this.candidates[index];
    const candidate = list[this.chosen[index]];
    this.panel.show(index, candidate, this.chosen[index], list.length, this.view?.credit(candidate.cad_id) ?? '');
  }

  select(index) {
    this.selected = index;
    this.panel.select(index);
    this.view?.select(index);
    this.view?.draw();
  }

  cycle(index, step) {
    if (!this.view) return;
    const count = this.candidates[index].length;
    this.chosen[index] = (this.chosen[index] + step + count) % count;
    const candidate = this.candidates[index][this.chosen[index]];
    this.view.place(index, candidate);
    this.view.frame();
    this.show(index);
    this.select(index);
    get('spoken').textContent = `${this.objects[index].label}: ${candidate.cad_id}, ${facts(this.objects[index], candidate)}`;
  }

  /** The photo as large as the stage lets it; the CADs on it, or all over. */
  layout() {
    const {clientWidth: width, clientHeight: height} = get('stage');
    const {image} = this.scene;
    const scale = Math.min(width / image.width, height / image.height);
    const rectangle = {
      left: (width - scale * image.width) / 2,
      top: (height - scale * image.height) / 2,
      width: scale * image.width,
      height: scale * image.height,
    };
    const place = (node, box) => {
      for (const [side, value] of Object.entries(box)) node.style[side] = `${value}px`;
    };
    place(get('picture'), rectangle);
    get('picture').hidden = this.orbit;
    const view = this.orbit ? {left: 0, top: 0, width, height} : rectangle;
    place(get('view'), view);
    get('view').style.opacity = this.orbit ? 1 : get('opacity').value / 100;
    if (width && height) this.view?.resize(view.width, view.height);
  }

  async download() {
    if (!this.view) return;
    const link = document.createElement('a');
    link.href = URL.createObjectURL(new Blob([await this.view.glb()], {type: 'model/gltf-binary'}));
    link.download = `${get('name').textContent.replace(/\.[^.]*$/, '')}.glb`;
    link.click();
    URL.revokeObjectURL(link.href);
  }
}

try {
  new Page(JSON.parse(get('scene').textContent)).start();
} catch (error) {
  say(`This page cannot be shown (${error.message}). Write it again: python -m mask2cad_tf.predict`);
}
