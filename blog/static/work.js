/* The sum of the page "One more click": finds a number for which SHA-256 of "challenge.number" begins with so
   many zero bits. Written out, since browsers lend theirs to secure pages only and one hash at a time (FIPS 180-4).
   It works in slices, so that the page stays usable, and presses nothing by itself. */
"use strict";

const form = document.querySelector("form[data-bits]");
const button = form.querySelector("button");
const status = document.querySelector("[data-working]");
const bits = Number(form.dataset.bits);
const prefix = `${form.elements.challenge.value}.`;
const SLICE_MS = 25;

const primes = [];
for (let n = 2; primes.length < 64; n++) if (primes.every((p) => n % p)) primes.push(n);
const fraction = (x) => (x - Math.floor(x)) * 2 ** 32 | 0;
const ROUNDS = Int32Array.from(primes, (p) => fraction(Math.cbrt(p)));
const START = Int32Array.from(primes.slice(0, 8), (p) => fraction(Math.sqrt(p)));

const words = new Int32Array(64);
const turn = (x, n) => (x >>> n) | (x << (32 - n));

function mix(state, block) {
  for (let i = 0; i < 16; i++) words[i] = block.getInt32(i * 4);
  for (let i = 16; i < 64; i++) {
    const x = words[i - 15], y = words[i - 2];
    const near = turn(x, 7) ^ turn(x, 18) ^ (x >>> 3), far = turn(y, 17) ^ turn(y, 19) ^ (y >>> 10);
    words[i] = (words[i - 16] + near + words[i - 7] + far) | 0;
  }
  let a = state[0], b = state[1], c = state[2], d = state[3];
  let e = state[4], f = state[5], g = state[6], h = state[7];
  for (let i = 0; i < 64; i++) {
    const one = h + (turn(e, 6) ^ turn(e, 11) ^ turn(e, 25)) + ((e & f) ^ (~e & g)) + ROUNDS[i] + words[i];
    const two = (turn(a, 2) ^ turn(a, 13) ^ turn(a, 22)) + ((a & b) ^ (a & c) ^ (b & c));
    h = g; g = f; f = e; e = (d + one) | 0; d = c; c = b; b = a; a = (one + two) | 0;
  }
  [a, b, c, d, e, f, g, h].forEach((x, i) => { state[i] += x; });
}

function firstWord(text) {
  const padded = new Uint8Array(Math.ceil((text.length + 9) / 64) * 64);
  for (let i = 0; i < text.length; i++) padded[i] = text.charCodeAt(i);
  padded[text.length] = 128;
  new DataView(padded.buffer).setUint32(padded.length - 4, text.length * 8);
  const state = START.slice();
  for (let at = 0; at < padded.length; at += 64) mix(state, new DataView(padded.buffer, at, 64));
  return state[0] >>> 0;
}

let number = 0;
function work() {
  const until = performance.now() + SLICE_MS;
  while (performance.now() < until) {
    for (const last = number + 100; number < last; number++) {
      if (firstWord(prefix + number) < 2 ** (32 - bits)) return done();
    }
  }
  setTimeout(work);
}

function done() {
  form.elements.answer.value = number;
  status.textContent = status.dataset.done;
  button.disabled = false;
}

button.disabled = true;
status.textContent = status.dataset.working;
work();
