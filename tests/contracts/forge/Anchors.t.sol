// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {ILog, LogTest} from "./LogTest.sol";
import {ISudonglianLog} from "../../../contracts/ISudonglianLog.sol";
import {Vm} from "./Forge.sol";
import {Tree} from "./Tree.sol";

/// @title docs/spec/contract.md rules 4 to 8 and 13 to 15: what anchoring, pausing and freezing do and refuse
contract AnchorsTest is LogTest {
    bytes32[] internal leaves = Tree.leaves(1, 40);

    function root(uint64 size) internal view returns (bytes32) {
        return Tree.root(leaves, size);
    }

    function proof(uint64 size1, uint64 size2) internal view returns (bytes32[] memory) {
        return Tree.consistency(leaves, size1, size2);
    }

    function eightThenTwenty() internal {
        anchor(8, root(8), none);
        anchor(20, root(20), proof(8, 20));
    }

    function refused(uint64 size, bytes32 offered, bytes32[] memory path, bytes memory reason) internal {
        vm.expectRevert(reason);
        anchor(size, offered, path);
    }

    function test_anchors_grow_by_proof_and_say_so() public {
        uint64[5] memory sizes = [uint64(1), 2, 7, 8, 40];
        uint64 before;
        for (uint256 n; n < sizes.length; ++n) {
            uint64 size = sizes[n];
            bytes32[] memory path = before == 0 ? none : proof(before, size);
            vm.expectEmit(true, true, true, true, address(log));
            emit ISudonglianLog.Anchored(size, root(size), before, META);
            anchor(size, root(size), path);
            (uint64 found, bytes32 head) = log.latest();
            same(found, size, "latest size");
            same(head, root(size), "latest root");
            before = size;
        }
        for (uint64 size; size <= 41; ++size) {
            bool anchored = size == 1 || size == 2 || size == 7 || size == 8 || size == 40;
            same(log.rootAt(size), anchored ? root(size) : bytes32(0), "root at");
        }
    }

    function test_an_anchor_writes_its_two_slots_and_no_other() public {
        anchor(8, root(8), none);
        (bool done,, bytes32[] memory changed) =
            tried(ANNA, abi.encodeCall(log.anchor, (20, root(20), proof(8, 20), META)));
        check(done, "anchored");
        same(changed.length, 2, "slots");
        same(changed[0], rootSlot(20), "slot of the root");
        same(changed[1], stateSlot(), "slot of the size");
        same(vm.load(address(log), rootSlot(20)), root(20), "root in its slot");
        same(vm.load(address(log), stateSlot()), bytes32(uint256(20)), "size in its slot");
    }

    function test_the_state_slot_holds_size_pause_and_successor() public {
        eightThenTwenty();
        pause(true);
        freeze(address(0xBEEF));
        same(vm.load(address(log), stateSlot()), bytes32(uint256(20) | 1 << 64 | 0xBEEF << 72), "packed");
    }

    function test_EmptyRoot() public {
        refused(8, 0, none, abi.encodeWithSelector(ISudonglianLog.EmptyRoot.selector));
    }

    function test_SizeNotGrowing() public {
        refused(0, root(1), none, abi.encodeWithSelector(ISudonglianLog.SizeNotGrowing.selector, 0, 0));
        eightThenTwenty();
        refused(19, root(19), none, abi.encodeWithSelector(ISudonglianLog.SizeNotGrowing.selector, 20, 19));
        refused(0, root(1), none, abi.encodeWithSelector(ISudonglianLog.SizeNotGrowing.selector, 20, 0));
    }

    function test_RootConflict() public {
        eightThenTwenty();
        refused(8, META, none, abi.encodeWithSelector(ISudonglianLog.RootConflict.selector, 8, root(8), META));
        refused(20, META, none, abi.encodeWithSelector(ISudonglianLog.RootConflict.selector, 20, root(20), META));
    }

    function test_Inconsistent() public {
        bytes32[] memory good = proof(8, 20);
        refused(
            20,
            root(20),
            good,
            abi.encodeWithSelector(ISudonglianLog.Inconsistent.selector, 0, bytes32(0), 20, root(20))
        );
        anchor(8, root(8), none);
        bytes memory reason = abi.encodeWithSelector(ISudonglianLog.Inconsistent.selector, 8, root(8), 20, root(20));
        refused(20, root(20), none, reason);
        refused(20, root(20), Tree.without(good, 0), reason);
        refused(20, root(20), Tree.with(good, META), reason);
        refused(20, root(20), proof(8, 19), reason);
        refused(20, root(20), proof(7, 20), reason);
        refused(20, META, good, abi.encodeWithSelector(ISudonglianLog.Inconsistent.selector, 8, root(8), 20, META));
        anchor(20, root(20), good);
    }

    function test_a_tree_that_leaves_an_entry_out_is_refused() public {
        anchor(8, root(8), none);
        bytes32[] memory other = Tree.leaves(1, 20);
        other[3] = other[4];
        bytes32 head = Tree.root(other, 20);
        bytes memory reason = abi.encodeWithSelector(ISudonglianLog.Inconsistent.selector, 8, root(8), 20, head);
        refused(20, head, Tree.consistency(other, 8, 20), reason);
    }

    function test_AnchoringPaused() public {
        eightThenTwenty();
        vm.expectEmit(true, true, true, true, address(log));
        emit ISudonglianLog.Paused(PAUL);
        pause(true);
        check(log.paused(), "paused");
        refused(30, root(30), proof(20, 30), abi.encodeWithSelector(ISudonglianLog.AnchoringPaused.selector));
        register(address(1), 1, 2, 1);
        same(log.rootAt(8), root(8), "reading goes on");
        check(log.included(leaves[3], 3, 20, Tree.inclusion(leaves, 3, 20)), "judging goes on");
        vm.expectEmit(true, true, true, true, address(log));
        emit ISudonglianLog.Unpaused(PAUL);
        pause(false);
        check(!log.paused(), "unpaused");
        anchor(30, root(30), proof(20, 30));
    }

    function test_AnchoringEnded() public {
        eightThenTwenty();
        ILog next = deployed(20, root(20));
        vm.expectEmit(true, true, true, true, address(log));
        emit ISudonglianLog.Frozen(address(next), 20, root(20));
        freeze(address(next));
        same(log.successor(), address(next), "successor");
        bytes memory reason = abi.encodeWithSelector(ISudonglianLog.AnchoringEnded.selector, address(next));
        refused(30, root(30), proof(20, 30), reason);
        pause(false);
        refused(30, root(30), proof(20, 30), reason);
        vm.expectRevert(reason);
        freeze(address(0xBEEF));
        register(address(1), 1, 2, 1);
        log = next;
        anchor(30, root(30), proof(20, 30));
    }

    function test_InvalidSuccessor() public {
        vm.expectRevert(abi.encodeWithSelector(ISudonglianLog.InvalidSuccessor.selector, address(0)));
        freeze(address(0));
        vm.expectRevert(abi.encodeWithSelector(ISudonglianLog.InvalidSuccessor.selector, address(log)));
        freeze(address(log));
        same(log.successor(), address(0), "goes on here");
    }

    function test_InvalidStart() public {
        (ILog made, bytes memory reason) = made_(0, META);
        same(address(made), address(0), "no contract");
        same(keccak256(reason), keccak256(abi.encodeWithSelector(ISudonglianLog.InvalidStart.selector, 0, META)), "why");
        (made, reason) = made_(5, 0);
        same(address(made), address(0), "no contract");
        same(
            keccak256(reason),
            keccak256(abi.encodeWithSelector(ISudonglianLog.InvalidStart.selector, 5, bytes32(0))),
            "why"
        );
    }

    function test_a_successor_starts_where_the_log_stood() public {
        vm.recordLogs();
        ILog next = deployed(20, root(20));
        Vm.Log[] memory logs = vm.getRecordedLogs();
        uint256 seen;
        for (uint256 n; n < logs.length; ++n) {
            if (logs[n].topics[0] != ISudonglianLog.Anchored.selector) continue;
            ++seen;
            same(logs[n].topics[1], bytes32(uint256(20)), "size in the event");
            same(keccak256(logs[n].data), keccak256(abi.encode(root(20), 0, 0)), "root, no size before, no meta");
        }
        same(seen, 1, "events");
        (uint64 size, bytes32 head) = next.latest();
        same(size, 20, "size");
        same(head, root(20), "root");
        log = next;
        refused(20, META, none, abi.encodeWithSelector(ISudonglianLog.RootConflict.selector, 20, root(20), META));
        anchor(40, root(40), proof(20, 40));
    }

    function test_a_first_log_starts_empty_and_says_nothing() public {
        vm.recordLogs();
        ILog fresh = deployed(0, 0);
        Vm.Log[] memory logs = vm.getRecordedLogs();
        for (uint256 n; n < logs.length; ++n) {
            check(logs[n].topics[0] != ISudonglianLog.Anchored.selector, "no anchor");
        }
        (uint64 size, bytes32 head) = fresh.latest();
        same(size, 0, "size");
        same(head, 0, "root");
    }

    function test_an_identical_retry_succeeds_and_does_nothing() public {
        eightThenTwenty();
        for (uint256 state; state < 3; ++state) {
            if (state == 1) pause(true);
            if (state == 2) freeze(address(0xBEEF));
            for (uint64 size = 8; size <= 20; size += 12) {
                for (uint256 n; n < 2; ++n) {
                    vm.recordLogs();
                    bytes32[] memory path = n == 0 ? none : proof(7, 19);
                    (bool done,, bytes32[] memory changed) =
                        tried(ANNA, abi.encodeCall(log.anchor, (size, root(size), path, META)));
                    check(done, "accepted");
                    same(changed.length, 0, "slots changed");
                    same(vm.getRecordedLogs().length, 0, "events");
                }
            }
        }
    }

    function test_refusals_are_judged_in_the_order_of_the_specification() public {
        eightThenTwenty();
        pause(true);
        freeze(address(0xBEEF));
        // Everything is wrong at once; each refusal stands until its cause is taken away.
        vm.prank(STRANGER);
        vm.expectRevert(unauthorized(STRANGER, ANCHORER));
        log.anchor(19, 0, none, META);
        refused(19, 0, none, abi.encodeWithSelector(ISudonglianLog.EmptyRoot.selector));
        refused(19, META, none, abi.encodeWithSelector(ISudonglianLog.SizeNotGrowing.selector, 20, 19));
        refused(30, META, none, abi.encodeWithSelector(ISudonglianLog.AnchoringEnded.selector, address(0xBEEF)));
        vm.store(address(log), stateSlot(), bytes32(uint256(20) | 1 << 64));
        refused(30, META, none, abi.encodeWithSelector(ISudonglianLog.AnchoringPaused.selector));
        pause(false);
        refused(30, META, none, abi.encodeWithSelector(ISudonglianLog.Inconsistent.selector, 20, root(20), 30, META));
    }

    function testFuzz_any_growth_is_anchored_by_its_proof(uint256 seed, uint8 a, uint8 b) public {
        uint64 size1 = uint64(within(a, 1, 150));
        uint64 size2 = size1 + uint64(within(b, 1, 50));
        bytes32[] memory d = Tree.leaves(seed, size2);
        anchor(size1, Tree.root(d, size1), none);
        anchor(size2, Tree.root(d, size2), Tree.consistency(d, size1, size2));
        same(log.rootAt(size1), Tree.root(d, size1), "first");
        same(log.rootAt(size2), Tree.root(d, size2), "second");
    }

    function testFuzz_no_made_up_proof_is_accepted(
        uint64 size1,
        bytes32 root1,
        uint64 more,
        bytes32 root2,
        bytes32[] memory path
    ) public {
        size1 = uint64(within(size1, 1, FOR_EVER - 1));
        uint64 size2 = size1 + uint64(within(more, 1, FOR_EVER - size1));
        if (root1 == 0) root1 = META;
        if (root2 == 0) root2 = META;
        anchor(size1, root1, none);
        (bool done,, bytes32[] memory changed) = tried(ANNA, abi.encodeCall(log.anchor, (size2, root2, path, META)));
        check(!done, "refused");
        same(changed.length, 0, "slots changed");
    }
}
