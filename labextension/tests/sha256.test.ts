import { describe, expect, it, vi } from 'vitest';
import { sha256, sha256Here } from '../src/api/sha256';

const bytes = (text: string) => new TextEncoder().encode(text);

describe('sha256', () => {
  it.each([
    ['', 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'],
    ['abc', 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad'],
    [
      'abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq',
      '248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1'
    ]
  ])('of %j is that of FIPS 180-4', async (text, digest) => {
    expect(sha256Here(bytes(text))).toBe(digest);
    expect(await sha256(bytes(text))).toBe(digest);
  });

  it('agrees with the browser at every length around a block', async () => {
    for (let length = 50; length < 135; length += 1) {
      const message = Uint8Array.from({ length }, (_, i) => (i * 7) % 256);
      expect(sha256Here(message)).toBe(await sha256(message));
    }
  });

  it('works where the page has no crypto.subtle', async () => {
    vi.stubGlobal('crypto', {});
    expect(await sha256(bytes('abc'))).toBe(sha256Here(bytes('abc')));
    vi.unstubAllGlobals();
  });
});
