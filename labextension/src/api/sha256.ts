/**
 * SHA-256 (FIPS 180-4). The browser's own where it is: pages that come over plain HTTP from another host have no
 * `crypto.subtle`, and hash here.
 */

const ROUNDS = 64;

// The first 32 bits of the fractional parts of the cube roots of the first 64 primes.
const K = new Uint32Array(primes(ROUNDS).map(p => fraction(Math.cbrt(p))));
// The same of the square roots of the first 8 primes.
const INITIAL = primes(8).map(p => fraction(Math.sqrt(p)));

function primes(n: number): number[] {
  const found: number[] = [];
  for (let candidate = 2; found.length < n; candidate += 1) {
    if (found.every(p => candidate % p !== 0)) {
      found.push(candidate);
    }
  }
  return found;
}

function fraction(root: number): number {
  return Math.floor((root - Math.floor(root)) * 2 ** 32) >>> 0;
}

/** The SHA-256 of `bytes` in lower-case hexadecimal. */
export async function sha256(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  // The type says that it is always there; it is not in an insecure context.
  const subtle = (globalThis.crypto as Partial<Crypto> | undefined)?.subtle;
  if (subtle) {
    return hex(new Uint8Array(await subtle.digest('SHA-256', bytes)));
  }
  return sha256Here(bytes);
}

/** The same, computed here. */
export function sha256Here(bytes: Uint8Array): string {
  const state = new Uint32Array(INITIAL);
  const view = new DataView(padded(bytes).buffer);
  const words = new Uint32Array(ROUNDS);
  for (let block = 0; block < view.byteLength; block += 64) {
    for (let i = 0; i < 16; i += 1) {
      words[i] = view.getUint32(block + 4 * i);
    }
    compress(state, words);
  }
  const digest = new Uint8Array(32);
  state.forEach((word, i) =>
    new DataView(digest.buffer).setUint32(4 * i, word)
  );
  return hex(digest);
}

/** The message, a 1 bit, zeros, and its length in bits as 64-bit integer, in whole blocks of 64 bytes. */
function padded(bytes: Uint8Array): Uint8Array {
  const length = Math.ceil((bytes.length + 9) / 64) * 64;
  const message = new Uint8Array(length);
  message.set(bytes);
  message[bytes.length] = 0x80;
  const view = new DataView(message.buffer);
  view.setUint32(length - 8, Math.floor(bytes.length / 2 ** 29));
  view.setUint32(length - 4, (bytes.length << 3) >>> 0);
  return message;
}

function compress(state: Uint32Array, w: Uint32Array): void {
  for (let i = 16; i < ROUNDS; i += 1) {
    const s0 = rotate(w[i - 15], 7) ^ rotate(w[i - 15], 18) ^ (w[i - 15] >>> 3);
    const s1 = rotate(w[i - 2], 17) ^ rotate(w[i - 2], 19) ^ (w[i - 2] >>> 10);
    w[i] = w[i - 16] + s0 + w[i - 7] + s1;
  }
  let [a, b, c, d, e, f, g, h] = state;
  for (let i = 0; i < ROUNDS; i += 1) {
    const s1 = rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25);
    const t1 = (h + s1 + ((e & f) ^ (~e & g)) + K[i] + w[i]) | 0;
    const s0 = rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22);
    const t2 = (s0 + ((a & b) ^ (a & c) ^ (b & c))) | 0;
    [h, g, f, e, d, c, b, a] = [g, f, e, (d + t1) | 0, c, b, a, (t1 + t2) | 0];
  }
  [a, b, c, d, e, f, g, h].forEach((word, i) => (state[i] += word));
}

function rotate(x: number, n: number): number {
  return (x >>> n) | (x << (32 - n));
}

function hex(bytes: Uint8Array): string {
  return Array.from(bytes, byte => byte.toString(16).padStart(2, '0')).join('');
}
