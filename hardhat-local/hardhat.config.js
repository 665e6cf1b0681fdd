// Hardhat as a local JSON-RPC node, and as a second opinion on the compiler.
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const here = path.dirname(fileURLToPath(import.meta.url));
const sources = path.join(here, 'contracts');

// Hardhat refuses sources outside its project; a link is inside.
if (!fs.existsSync(sources)) fs.symlinkSync(path.join('..', 'contracts'), sources);

export default {
  paths: { sources, cache: path.join(here, 'cache'), artifacts: path.join(here, 'artifacts') },
  solidity: {
    version: '0.8.37',
    // Without it Hardhat downloads a compiler.
    path: path.join(here, 'node_modules', 'solc', 'soljson.js'),
    // As in scripts/compile-contracts.
    settings: {
      optimizer: { enabled: true, runs: 200 },
      evmVersion: 'cancun',
      metadata: { bytecodeHash: 'none', appendCBOR: false },
    },
  },
  networks: {
    node: { type: 'edr-simulated', hardfork: 'cancun', chainId: 31337 },
  },
};
