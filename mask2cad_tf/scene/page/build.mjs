// Bundles src/ into scene.html, the page that mask2cad_tf.scene.scene_page
// fills: one file, no request. `make page` runs it.
import {build} from 'esbuild';
import {createHash} from 'node:crypto';
import {readFileSync, readdirSync, writeFileSync} from 'node:fs';

const {outputFiles} = await build({
  entryPoints: ['src/main.js'],
  bundle: true,
  minify: true,
  format: 'iife',
  target: 'es2020',
  charset: 'ascii',
  legalComments: 'inline',
  write: false,
});
const script = outputFiles[0].text.replaceAll('</script', '<\\/script');

const hash = createHash('sha256');
const sources = ['package-lock.json', ...readdirSync('src').map((name) => `src/${name}`)];
for (const name of sources.sort()) hash.update(readFileSync(name));

const page = readFileSync('src/page.html', 'utf8')
  .replace('%STYLE%', () => readFileSync('src/style.css', 'utf8'))
  .replace('%SOURCES%', hash.digest('hex'))
  .replace('%SCRIPT%', () => script);
writeFileSync('scene.html', page);
