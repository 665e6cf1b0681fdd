// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {LogTest} from "./LogTest.sol";
import {Tree} from "./Tree.sol";

/// @title The contract's verifiers against a tree written from the RFC's recursive definitions
/// @dev A path is judged good if, and only if, it is the one path that the definition gives.
contract ProofsTest is LogTest {
    uint64 internal constant WIDEST = 24;
    uint256 internal constant LARGEST = 160;

    /// @dev Make `size` an anchored size without the way there: its slot is part of the specification.
    function anchored(uint64 size, bytes32 root) internal {
        vm.store(address(log), rootSlot(size), root);
    }

    function judged(bytes32[] memory d, uint64 size1, uint64 size2, bytes32[] memory path)
        internal
        view
        returns (bool)
    {
        return log.consistent(size1, Tree.root(d, size1), size2, Tree.root(d, size2), path);
    }

    function equal(bytes32[] memory one, bytes32[] memory other) internal pure returns (bool) {
        return keccak256(abi.encode(one)) == keccak256(abi.encode(other));
    }

    /// @dev A path with one thing wrong, chosen by `how`.
    function spoilt(bytes32[] memory path, uint256 how) internal pure returns (bytes32[] memory) {
        uint256 kind = how % 4;
        how /= 4;
        if (path.length == 0 || kind == 0) {
            return Tree.inserted(path, how % (path.length + 1), keccak256(abi.encode(how)));
        }
        if (kind == 1) return Tree.without(path, how % path.length);
        if (kind == 2) return Tree.flipped(path, how % (256 * path.length));
        // One node twice.
        return Tree.inserted(path, how % path.length, path[how % path.length]);
    }

    function test_every_small_tree_extends_every_smaller_one() public view {
        bytes32[] memory d = Tree.leaves(7, WIDEST);
        for (uint64 size2 = 1; size2 <= WIDEST; ++size2) {
            for (uint64 size1 = 1; size1 <= size2; ++size1) {
                bytes32[] memory path = Tree.consistency(d, size1, size2);
                check(judged(d, size1, size2, path), "good");
                if (size1 < size2) {
                    check(!judged(d, size2, size1, path), "sizes the wrong way round");
                    check(!judged(d, size1, size2, none) || path.length == 0, "no path");
                }
            }
        }
    }

    function test_every_entry_of_every_small_tree_is_included() public {
        bytes32[] memory d = Tree.leaves(7, WIDEST);
        for (uint64 size = 1; size <= WIDEST; ++size) {
            anchored(size, Tree.root(d, size));
            for (uint64 index; index < size; ++index) {
                bytes32[] memory path = Tree.inclusion(d, index, size);
                for (uint64 claimed; claimed <= size; ++claimed) {
                    bool good = log.included(d[index], claimed, size, path);
                    check(good == (claimed == index), "its index and no other");
                }
            }
        }
    }

    function test_edges() public {
        bytes32 root = Tree.root(Tree.leaves(7, 9), 9);
        bytes32[] memory one = new bytes32[](1);
        one[0] = root;
        check(log.consistent(9, root, 9, root, none), "equal sizes, equal roots");
        check(!log.consistent(9, root, 9, root, one), "equal sizes need no path");
        check(!log.consistent(9, root, 9, META, none), "two roots of one size");
        check(!log.consistent(0, 0, 9, root, none), "nothing extends the empty tree");
        check(!log.consistent(0, 0, 0, 0, none), "not even the empty tree");
        check(!log.consistent(10, root, 9, root, none), "a log does not shrink");
        check(!log.included(root, 0, 1, none), "a size that was not anchored");
        check(!log.included(root, 0, 0, none), "the empty log holds nothing");
        check(!log.included(0, 0, 1, none), "nor is zero an entry of it");
        anchored(1, root);
        check(log.included(root, 0, 1, none), "the only entry is the root");
        check(!log.included(root, 1, 1, none), "no second entry");
        check(!log.included(META, 0, 1, none), "another entry");
        check(!log.included(root, 0, 1, one), "a path too long");
    }

    /// @dev Each of these paths hashes to the right root, and only its length tells that it proves something else.
    function test_a_path_of_the_wrong_length_to_the_right_root_is_refused() public {
        bytes32[] memory d = Tree.leaves(7, 4);
        bytes32 below = Tree.root(d, 4);
        bytes32[] memory path = new bytes32[](1);
        path[0] = META;
        anchored(1, sha256(abi.encodePacked(hex"01", META, below)));
        check(!log.included(below, 0, 1, path), "a tree of one entry has no inner node");
        anchored(4, below);
        check(!log.included(below, 0, 4, none), "the root is no entry");
        path[0] = Tree.root(d, 2, 4);
        check(!log.included(Tree.root(d, 2), 0, 4, path), "an inner node is no entry");

        bytes32[] memory longer = Tree.with(Tree.consistency(d, 3, 4), META);
        bytes32 root1 = sha256(abi.encodePacked(hex"01", META, Tree.root(d, 3)));
        bytes32 root2 = sha256(abi.encodePacked(hex"01", META, below));
        check(!log.consistent(3, root1, 4, root2, longer), "a node too many on the left of both");
        check(!log.consistent(2, Tree.root(d, 2), 5, below, path), "a node too few for the size");

        // The walk of the RFC would take this path from three entries to two.
        path = new bytes32[](2);
        (path[0], path[1]) = (d[0], d[1]);
        check(!log.consistent(3, d[0], 2, Tree.root(d, 2), path), "a log does not shrink");
    }

    function testFuzz_consistency_is_the_definitions(uint256 seed, uint64 a, uint64 b, uint256 how) public view {
        uint64 size2 = uint64(within(a, 2, LARGEST));
        uint64 size1 = uint64(within(b, 1, size2 - 1));
        bytes32[] memory d = Tree.leaves(seed, size2);
        bytes32[] memory good = Tree.consistency(d, size1, size2);
        check(judged(d, size1, size2, good), "good");
        bytes32[] memory bad = spoilt(good, how);
        check(judged(d, size1, size2, bad) == equal(bad, good), "spoilt");
        check(!log.consistent(size1, META, size2, Tree.root(d, size2), good), "another first root");
        check(!log.consistent(size1, Tree.root(d, size1), size2, META, good), "another second root");
    }

    function testFuzz_inclusion_is_the_definitions(uint256 seed, uint64 a, uint64 b, uint256 how) public {
        uint64 size = uint64(within(a, 1, LARGEST));
        uint64 index = uint64(within(b, 0, size - 1));
        bytes32[] memory d = Tree.leaves(seed, size);
        anchored(size, Tree.root(d, size));
        bytes32[] memory good = Tree.inclusion(d, index, size);
        check(log.included(d[index], index, size, good), "good");
        bytes32[] memory bad = spoilt(good, how);
        check(log.included(d[index], index, size, bad) == equal(bad, good), "spoilt");
        uint64 other = uint64(how % (size + 3));
        check(log.included(d[index], other, size, good) == (other == index), "at another index");
        check(!log.included(META, index, size, good), "another leaf");
    }

    function testFuzz_a_path_of_another_pair_of_sizes_is_refused(uint256 seed, uint64[4] memory sizes) public view {
        uint64 size2 = uint64(within(sizes[0], 2, 64));
        uint64 size1 = uint64(within(sizes[1], 1, size2 - 1));
        uint64 other2 = uint64(within(sizes[2], 2, 64));
        uint64 other1 = uint64(within(sizes[3], 1, other2 - 1));
        bytes32[] memory d = Tree.leaves(seed, 64);
        bytes32[] memory due = Tree.consistency(d, size1, size2);
        bytes32[] memory path = Tree.consistency(d, other1, other2);
        check(judged(d, size1, size2, path) == equal(path, due), "of other sizes");
    }

    function testFuzz_a_verifier_answers_whatever_it_is_asked(
        uint64 size1,
        bytes32 root1,
        uint64 size2,
        bytes32 root2,
        bytes32[] memory path
    ) public {
        // A good path of this length by chance would be a collision of SHA-256.
        bool trivial = size1 == size2 && size1 != 0 && root1 == root2 && path.length == 0;
        check(log.consistent(size1, root1, size2, root2, path) == trivial, "consistent");
        if (root2 == 0) root2 = META;
        anchored(size2, root2);
        check(
            log.included(root1, size1, size2, path) == (size2 == 1 && size1 == 0 && root1 == root2 && path.length == 0),
            "included"
        );
    }
}
