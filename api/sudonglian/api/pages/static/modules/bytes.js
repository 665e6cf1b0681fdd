// Bytes and their hexadecimal digits.

/** Return the bytes of an even number of hexadecimal digits; null for anything else. */
export function fromHex(text) {
  if (typeof text !== 'string' || text.length % 2 || !/^[0-9a-fA-F]*$/.test(text)) return null;
  return Uint8Array.from({ length: text.length / 2 }, (_, at) => parseInt(text.slice(2 * at, 2 * at + 2), 16));
}

/** Return bytes as lower-case hexadecimal digits. */
export function toHex(bytes) {
  return Array.from(bytes, (one) => one.toString(16).padStart(2, '0')).join('');
}

/** Return parts as one. */
export function joined(...parts) {
  const whole = new Uint8Array(parts.reduce((sum, one) => sum + one.length, 0));
  let at = 0;
  for (const one of parts) {
    whole.set(one, at);
    at += one.length;
  }
  return whole;
}

/** Return a number below 2^53 as 32 bytes, the most significant first. */
export function word(number) {
  const bytes = new Uint8Array(32);
  for (let at = 31, left = number; left > 0; at -= 1, left = Math.floor(left / 256)) bytes[at] = left % 256;
  return bytes;
}

/** Tell whether two runs of bytes are the same. */
export function same(one, other) {
  return one.length === other.length && one.every((byte, at) => byte === other[at]);
}
