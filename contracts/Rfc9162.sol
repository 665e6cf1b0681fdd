// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

/// @title Proofs of the RFC 9162 SHA-256 Merkle tree
/// @dev Sections 2.1.3.2 (inclusion) and 2.1.4.2 (consistency), step by step; answers yes or no and never reverts.
library Rfc9162 {
    /// @notice Whether `leaf` is entry `index` of the tree with `size` entries and this root.
    function included(bytes32 leaf, uint256 index, uint256 size, bytes32 root, bytes32[] calldata path)
        internal
        view
        returns (bool)
    {
        if (index >= size) return false;
        uint256 fn = index;
        uint256 sn = size - 1;
        bytes32 r = leaf;
        for (uint256 i = 0; i < path.length; ++i) {
            if (sn == 0) return false;
            bytes32 p = path[i];
            if (fn & 1 == 1 || fn == sn) {
                r = node(p, r);
                while (fn & 1 == 0 && fn != 0) {
                    fn >>= 1;
                    sn >>= 1;
                }
            } else {
                r = node(r, p);
            }
            fn >>= 1;
            sn >>= 1;
        }
        return sn == 0 && r == root;
    }

    /// @notice Whether the tree (size2, root2) begins with the tree (size1, root1).
    /// @dev Nothing is consistent with the empty tree here: it has no root to begin with.
    function consistent(uint256 size1, bytes32 root1, uint256 size2, bytes32 root2, bytes32[] calldata path)
        internal
        view
        returns (bool)
    {
        if (size1 == 0 || size1 > size2) return false;
        if (size1 == size2) return path.length == 0 && root1 == root2;
        if (path.length == 0) return false;

        uint256 fn = size1 - 1;
        uint256 sn = size2 - 1;
        while (fn & 1 == 1) {
            fn >>= 1;
            sn >>= 1;
        }
        // A perfect first tree is itself the first node of the path, and is left out of it.
        uint256 i;
        bytes32 fr = root1;
        if (size1 & (size1 - 1) != 0) {
            fr = path[0];
            i = 1;
        }
        bytes32 sr = fr;
        for (; i < path.length; ++i) {
            if (sn == 0) return false;
            bytes32 c = path[i];
            if (fn & 1 == 1 || fn == sn) {
                fr = node(c, fr);
                sr = node(c, sr);
                while (fn & 1 == 0 && fn != 0) {
                    fn >>= 1;
                    sn >>= 1;
                }
            } else {
                sr = node(sr, c);
            }
            fn >>= 1;
            sn >>= 1;
        }
        return sn == 0 && fr == root1 && sr == root2;
    }

    /// @notice The hash of an inner node: SHA-256(0x01 ‖ left ‖ right).
    function node(bytes32 left, bytes32 right) internal view returns (bytes32 hash) {
        // The 65 bytes are laid behind the free memory, which is not moved, as nobody needs them afterwards.
        assembly ("memory-safe") {
            let m := mload(0x40)
            mstore8(m, 1)
            mstore(add(m, 1), left)
            mstore(add(m, 33), right)
            // Precompile 2 fails only for want of gas: then the whole call must fail too.
            if iszero(staticcall(gas(), 2, m, 65, 0, 32)) { revert(0, 0) }
            hash := mload(0)
        }
    }
}
