// A party's signature over a record, byte for byte that of `sudonglian sign` (docs/spec/signature.md rules 1 and 2).
import { fromHex, joined, toHex, word } from './bytes.js';
import { addressOf } from './keystore.js';
import { secp256k1 } from './vendor/@noble/curves/secp256k1.js';
import { sha256 } from './vendor/@noble/hashes/sha2.js';
import { keccak_256 } from './vendor/@noble/hashes/sha3.js';

const VERSION = 'sudonglian/signature/1';
const ROLES = { consignor: 1, consignee: 2 };
const text = (words) => new TextEncoder().encode(words);

/** Return the record hash of a record's canonical text. */
export function recordHash(body) {
  return toHex(sha256(joined(text('sudonglian/record/v1\0'), text(body))));
}

/** Return the signature object of a private key over a handoff, as the log takes it. */
export function signed(key, handoff) {
  const signer = addressOf(key);
  const digest = signingDigest(handoff, signer);
  // The recovery bit, then r and s, s in the lower half of the order; the object has it behind, as 27 or 28.
  const made = secp256k1.sign(digest, key, { prehash: false, format: 'recovered' });
  return {
    counterparty: handoff.counterparty,
    record: handoff.record,
    role: handoff.role,
    sig: toHex(joined(made.slice(1), Uint8Array.of(27 + made[0]))),
    signed_at: handoff.signedAt,
    signer: toHex(signer),
    v: VERSION,
  };
}

function signingDigest(handoff, signer) {
  const salt = sha256(joined(text('sudonglian/origin/v1\0'), text(handoff.origin)));
  const domain = keccak_256(
    joined(
      keccak_256(text('EIP712Domain(string name,string version,bytes32 salt)')),
      keccak_256(text('Sudonglian')),
      keccak_256(text('1')),
      salt,
    ),
  );
  const statement = keccak_256(
    joined(
      keccak_256(
        text('Handoff(bytes32 recordHash,uint8 role,address signer,bytes32 counterparty,uint64 signedAt)'),
      ),
      fromHex(handoff.record),
      word(ROLES[handoff.role]),
      joined(new Uint8Array(12), signer),
      fromHex(handoff.counterparty),
      word(handoff.signedAt),
    ),
  );
  return keccak_256(joined(Uint8Array.of(0x19, 0x01), domain, statement));
}
