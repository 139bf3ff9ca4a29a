// COCO's compressed run lengths, and masks drawn over the photo.

/** Run lengths of zeros, ones, zeros, ... down the columns. */
export function runs(text) {
  const counts = [];
  for (let at = 0; at < text.length;) {
    let value = 0;
    let shift = 0;
    let code;
    do {
      code = text.charCodeAt(at++) - 48;
      value |= (code & 31) << shift;
      shift += 5;
    } while (code & 32);
    if (code & 16) value |= -1 << shift;
    if (counts.length > 2) value += counts[counts.length - 2];
    counts.push(value);
  }
  return counts;
}

/** Draws each mask in its colour; pixels are skipped in large photos. */
export function draw(canvas, objects, colors, {width, height}) {
  const step = Math.max(1, Math.floor(Math.max(width, height) / 1200));
  canvas.width = Math.floor(width / step);
  canvas.height = Math.floor(height / step);
  const context = canvas.getContext('2d');
  const image = context.createImageData(canvas.width, canvas.height);
  objects.forEach(({mask}, index) => {
    const color = parseInt(colors[index].slice(1), 16);
    const rgba = [color >> 16, color >> 8 & 255, color & 255, 115];
    let position = 0;
    runs(mask.counts).forEach((count, number) => {
      for (const end = position + count; position < end; position++) {
        if (number % 2 === 0) { position = end; break; }
        const x = Math.floor(position / height);
        const y = position % height;
        if (x % step || y % step) continue;
        if (x / step >= canvas.width || y / step >= canvas.height) continue;
        image.data.set(rgba, 4 * (y / step * canvas.width + x / step));
      }
    });
  });
  context.putImageData(image, 0, 0);
}
