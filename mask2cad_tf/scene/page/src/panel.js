// The list of objects beside the picture.

function element(tag, className, ...children) {
  const node = document.createElement(tag);
  if (className) node.className = className;
  node.append(...children);
  return node;
}

const percent = (value) => `${Math.round(100 * value)} %`;

/** What is known of a candidate, in words. */
export function facts(object, candidate) {
  return [
    `similarity ${candidate.similarity.toFixed(2)}`,
    candidate.silhouette_iou === undefined ? null : `silhouette IoU ${candidate.silhouette_iou.toFixed(2)}`,
    candidate.scale === 1 ? null : `scale ${candidate.scale.toFixed(2)}`,
    `distance ${candidate.translation[2].toFixed(2)} (${candidate.ground ? 'on the ground plane' : {flag: 'given depth', box_fit: 'depth from the box'}[object.depth_source] ?? object.depth_source})`,
  ].filter(Boolean).join(' \u00b7 ');
}

export class Panel {
  constructor(list, objects, colors, {onSelect, onCycle}) {
    this.objects = objects;
    this.items = objects.map((object, index) => {
      const item = element('li');
      item.style.setProperty('--color', colors[index]);
      const name = element('button', 'object', element('span', '', object.label), element('span', '', percent(object.score)));
      name.onclick = () => onSelect(index);
      const back = element('button', '', '\u2039');
      const next = element('button', '', '\u203a');
      back.setAttribute('aria-label', `Previous CAD for ${object.label}`);
      next.setAttribute('aria-label', `Next CAD for ${object.label}`);
      back.onclick = () => onCycle(index, -1);
      next.onclick = () => onCycle(index, 1);
      item.append(name, element('p', 'cad'), element('p', 'facts'), element('p', 'credit'), element('div', 'cycle', back, element('span', 'number'), next));
      list.append(item);
      return item;
    });
  }

  /** Shows candidate number `chosen` of `count` that can be shown. */
  show(index, candidate, chosen, count, credit) {
    const object = this.objects[index];
    const item = this.items[index];
    const cad = item.querySelector('.cad');
    cad.replaceChildren(candidate.cad_id);
    if (chosen === 0 && !object.confident) cad.append(' ', element('span', 'doubt', 'no CAD fits well'));
    item.querySelector('.facts').textContent = facts(object, candidate);
    item.querySelector('.credit').textContent = credit;
    item.querySelector('.number').textContent = `${chosen + 1} of ${count}`;
    for (const button of item.querySelectorAll('.cycle button')) button.disabled = count < 2;
  }

  select(index) {
    this.items.forEach((item, number) => {
      item.classList.toggle('selected', number === index);
      item.querySelector('.object').setAttribute('aria-current', number === index);
    });
    this.items[index]?.scrollIntoView({block: 'nearest'});
  }
}
