// Writes FILE.gz beside every file of a folder that gets smaller by it, and says what the first load weighs.
import { readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";

const folder = process.argv[2];
let all = 0;
for (const name of readdirSync(folder, { recursive: true })) {
  const path = join(folder, name);
  if (statSync(path).isDirectory() || name.endsWith(".gz")) continue;
  const content = readFileSync(path);
  const packed = gzipSync(content, { level: 9 });
  if (packed.length < content.length * 0.9) writeFileSync(`${path}.gz`, packed);
  all += Math.min(packed.length, content.length);
}
const page = readFileSync(join(folder, "index.html"), "utf8");
const first = [...page.matchAll(/(?:src|href)="\/(assets\/[^"]+)"/g)].map(
  (found) => gzipSync(readFileSync(join(folder, found[1]))).length,
);
const kilobytes = (bytes) => `${Math.round(bytes / 1000)} KB`;
console.log(`first load ${kilobytes(first.reduce((a, b) => a + b, 0))}, everything ${kilobytes(all)} (gzip)`);
