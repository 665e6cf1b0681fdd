// A party's keyfile opened where it lies: Web3 Secret Storage, version 3, as sudonglian.chain.keystore reads it.
import { fromHex, joined, same, toHex } from './bytes.js';
import { secp256k1 } from './vendor/@noble/curves/secp256k1.js';
import { pbkdf2Async } from './vendor/@noble/hashes/pbkdf2.js';
import { scryptAsync } from './vendor/@noble/hashes/scrypt.js';
import { sha256 } from './vendor/@noble/hashes/sha2.js';
import { keccak_256 } from './vendor/@noble/hashes/sha3.js';

const MAX_MEMORY = 2 ** 30; // what scrypt may use: more is no keyfile that a person's machine has made
const MAX_ROUNDS = 10_000_000;

/** A keyfile that is not opened; `code` is the sentence that the page has for it. */
export class KeyfileRefused extends Error {
  constructor(code) {
    super(code);
    this.code = code;
  }
}

/** Return the address of a private key, as 20 bytes. */
export function addressOf(key) {
  return keccak_256(secp256k1.getPublicKey(key, false).slice(1)).slice(12);
}

/** Return the private key of a keyfile's text; `progress` is told how far it is, from 0 to 1. */
export async function opened(text, passphrase, progress) {
  const { crypto: sealed, address } = read(text);
  const ciphertext = fromHex(sealed.ciphertext);
  const start = fromHex(sealed.cipherparams?.iv);
  const mac = fromHex(sealed.mac);
  if (sealed.cipher !== 'aes-128-ctr' || start?.length !== 16 || ciphertext?.length !== 32 || !mac) refuse('keyfile');
  const derived = await derive(sealed.kdf, sealed.kdfparams ?? {}, passphrase, progress);
  if (!same(mac, keccak_256(joined(derived.slice(16, 32), ciphertext)))) refuse('passphrase');
  const aes = await crypto.subtle.importKey('raw', derived.slice(0, 16), 'AES-CTR', false, ['decrypt']);
  const plain = await crypto.subtle.decrypt({ name: 'AES-CTR', counter: start, length: 128 }, aes, ciphertext);
  const key = new Uint8Array(plain);
  derived.fill(0);
  if (!secp256k1.utils.isValidSecretKey(key)) refuse('keyfile');
  if (address && address !== toHex(addressOf(key))) refuse('address');
  return key;
}

function read(text) {
  let value;
  try {
    value = JSON.parse(text);
  } catch {
    refuse('keyfile');
  }
  const sealed = value?.crypto ?? value?.Crypto; // some wallets write it with a capital
  if (value?.version !== 3 || typeof sealed !== 'object' || sealed === null) refuse('keyfile');
  const address = typeof value.address === 'string' ? value.address.toLowerCase().replace(/^0x/, '') : '';
  return { crypto: sealed, address };
}

async function derive(kdf, given, passphrase, progress) {
  const words = new TextEncoder().encode(passphrase);
  const salt = fromHex(given.salt);
  const { dklen: dkLen, n: N, r, p, c } = given;
  if (!salt || !Number.isInteger(dkLen) || dkLen < 32 || dkLen > 64) refuse('keyfile');
  if (kdf === 'scrypt') {
    const whole = [N, r, p].every(Number.isInteger) && N > 1 && r > 0 && p > 0 && p <= 16 && Number.isInteger(Math.log2(N));
    if (!whole || 128 * r * (N + p + 2) > MAX_MEMORY) refuse('keyfile');
    return scryptAsync(words, salt, { N, r, p, dkLen, maxmem: 2 * MAX_MEMORY, onProgress: progress });
  }
  const known = kdf === 'pbkdf2' && given.prf === 'hmac-sha256';
  if (!known || !Number.isInteger(c) || c < 1 || c > MAX_ROUNDS) refuse('keyfile');
  return pbkdf2Async(sha256, words, salt, { c, dkLen });
}

function refuse(code) {
  throw new KeyfileRefused(code);
}
