// The score that MDN's HTTP Observatory gives to a host, as JSON.
// usage: node observatory.mjs HOST[:PORT]
import { existsSync, writeFileSync } from "node:fs";

// The package loads the list of preloaded hosts when it is installed; no host of a test is on it.
const preloaded = new URL("conf/hsts-preload.json", new URL("..", import.meta.resolve("@mdn/mdn-http-observatory")));
if (!existsSync(preloaded)) writeFileSync(preloaded, "{}");

const { scan } = await import("@mdn/mdn-http-observatory");
const { scan: whole, tests } = await scan(process.argv[2]);
const results = Object.entries(tests).map(([name, { result, pass, scoreModifier }]) => [name, { result, pass, scoreModifier }]);
console.log(JSON.stringify({ score: whole.score, grade: whole.grade, tests: Object.fromEntries(results) }));
process.exit(0);
