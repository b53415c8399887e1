// Bundles static/js/main.js and the libraries it uses into static/vendor: app.js, app.css and LICENSES.txt.
import { readFile, readdir, writeFile, mkdir, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";

const root = dirname(fileURLToPath(import.meta.url));
const out = join(root, "static", "vendor");
const BUDGET_BYTES = 60 * 1024; // gzipped script, all of it: what a first visit may cost

/** The names of the npm packages whose files went into the bundle, from esbuild's own record of its inputs. */
function packagesIn(metafile) {
  const names = new Set();
  for (const path of Object.values(metafile.outputs).flatMap((file) => Object.keys(file.inputs))) {
    const match = /(?:^|\/)node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(path);
    if (match) names.add(match[1]);
  }
  return [...names].sort();
}

async function licenceOf(name) {
  const folder = join(root, "node_modules", name);
  const file = (await readdir(folder)).find((entry) => /^licen[cs]e/i.test(entry));
  if (!file) throw new Error(`${name} has no licence file: it cannot be bundled`);
  const { version, license } = JSON.parse(await readFile(join(folder, "package.json"), "utf8"));
  const text = await readFile(join(folder, file), "utf8");
  return `${name} ${version} (${license})\n\n${text.trim()}\n`;
}

async function gzipBytes(file) {
  return gzipSync(await readFile(join(out, file)), { level: 9 }).length;
}

await rm(out, { recursive: true, force: true });
await mkdir(out, { recursive: true });
const { metafile } = await build({
  absWorkingDir: root,
  entryPoints: { app: "static/js/main.js" },
  outdir: out,
  bundle: true,
  format: "esm",
  target: ["es2022"],
  minify: true,
  legalComments: "none", // the notices stand in LICENSES.txt
  metafile: true,
  logLevel: "warning",
});
const licences = await Promise.all(packagesIn(metafile).map(licenceOf));
const rule = `\n${"-".repeat(80)}\n\n`;
await writeFile(
  join(out, "LICENSES.txt"),
  `app.js and app.css in this folder contain the libraries below.\n${rule}${licences.join(rule)}`,
);

const script = await gzipBytes("app.js");
const style = await gzipBytes("app.css");
console.log(`static/vendor: app.js ${script} bytes gzipped (budget ${BUDGET_BYTES}), app.css ${style} bytes gzipped`);
if (script > BUDGET_BYTES) {
  console.error("app.js is over its budget: leave something out, or change the budget here and say why");
  process.exit(1);
}
