// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

/// @title RFC 9162 §2.1 copied from its recursive definitions, slow and plain: shares no line with contracts/Rfc9162.sol
library Tree {
    /// @notice `count` leaf hashes that are all different, and different for every seed.
    function leaves(uint256 seed, uint256 count) internal pure returns (bytes32[] memory made) {
        made = new bytes32[](count);
        for (uint256 n; n < count; ++n) {
            made[n] = sha256(abi.encodePacked(hex"00", seed, n));
        }
    }

    /// @notice MTH(D[start:end]), §2.1.1.
    function root(bytes32[] memory d, uint256 start, uint256 end) internal pure returns (bytes32) {
        if (end - start == 1) return d[start];
        uint256 k = split(end - start);
        return sha256(abi.encodePacked(hex"01", root(d, start, start + k), root(d, start + k, end)));
    }

    function root(bytes32[] memory d, uint256 size) internal pure returns (bytes32) {
        return root(d, 0, size);
    }

    /// @notice PATH(m, D[start:end]), §2.1.3.1; `m` counts from start.
    function inclusion(bytes32[] memory d, uint256 m, uint256 start, uint256 end)
        internal
        pure
        returns (bytes32[] memory)
    {
        if (end - start == 1) return new bytes32[](0);
        uint256 k = split(end - start);
        return m < k
            ? with(inclusion(d, m, start, start + k), root(d, start + k, end))
            : with(inclusion(d, m - k, start + k, end), root(d, start, start + k));
    }

    function inclusion(bytes32[] memory d, uint256 index, uint256 size) internal pure returns (bytes32[] memory) {
        return inclusion(d, index, 0, size);
    }

    /// @notice PROOF(size1, D[0:size2]), §2.1.4.1.
    function consistency(bytes32[] memory d, uint256 size1, uint256 size2) internal pure returns (bytes32[] memory) {
        return subproof(d, size1, 0, size2, true);
    }

    /// @notice SUBPROOF(m, D[start:end], whole), §2.1.4.1.
    function subproof(bytes32[] memory d, uint256 m, uint256 start, uint256 end, bool whole)
        internal
        pure
        returns (bytes32[] memory)
    {
        bytes32[] memory none = new bytes32[](0);
        if (m == end - start) return whole ? none : with(none, root(d, start, end));
        uint256 k = split(end - start);
        return m <= k
            ? with(subproof(d, m, start, start + k, whole), root(d, start + k, end))
            : with(subproof(d, m - k, start + k, end, false), root(d, start, start + k));
    }

    /// @dev The largest power of two below n.
    function split(uint256 n) internal pure returns (uint256 k) {
        k = 1;
        while (k * 2 < n) k *= 2;
    }

    /// @notice A copy with one more node at the end.
    function with(bytes32[] memory path, bytes32 node) internal pure returns (bytes32[] memory longer) {
        longer = inserted(path, path.length, node);
    }

    /// @notice A copy with one more node at `place`.
    function inserted(bytes32[] memory path, uint256 place, bytes32 node)
        internal
        pure
        returns (bytes32[] memory longer)
    {
        longer = new bytes32[](path.length + 1);
        for (uint256 n; n < longer.length; ++n) {
            longer[n] = n < place ? path[n] : n == place ? node : path[n - 1];
        }
    }

    /// @notice A copy without the node at `place`.
    function without(bytes32[] memory path, uint256 place) internal pure returns (bytes32[] memory shorter) {
        shorter = new bytes32[](path.length - 1);
        for (uint256 n; n < shorter.length; ++n) {
            shorter[n] = path[n < place ? n : n + 1];
        }
    }

    /// @notice A copy with one bit turned over.
    function flipped(bytes32[] memory path, uint256 bit) internal pure returns (bytes32[] memory other) {
        other = new bytes32[](path.length);
        for (uint256 n; n < path.length; ++n) {
            other[n] = n == bit / 256 ? path[n] ^ bytes32(1 << (bit % 256)) : path[n];
        }
    }
}
