// Every link and fragment that can be reached from a page of this machine, by linkinator: the broken ones as JSON.
// usage: node links.mjs ADDRESS...
import { LinkChecker } from "linkinator";

const addresses = process.argv.slice(2);
const { host } = new URL(addresses[0]);
const { links } = await new LinkChecker().check({
  path: addresses,
  recurse: true,
  checkFragments: true,
  checkCss: true,
  concurrency: 8,
  timeout: 20_000,
  // Other people's hosts are theirs; addresses from mails hold a token and are tried by tests of their own.
  linksToSkip: async (link) => new URL(link).host !== host,
});
const broken = links
  .filter(({ state }) => state === "BROKEN")
  .map(({ url, parent, status }) => `${parent}: ${url} (${status})`);
const checked = links.filter(({ state }) => state === "OK").length;
console.log(JSON.stringify({ checked, broken: [...new Set(broken)].sort() }));
