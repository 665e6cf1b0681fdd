// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {ISudonglianLog} from "../../../contracts/ISudonglianLog.sol";
import {Handler} from "./Handler.sol";
import {LogTest} from "./LogTest.sol";

/// @title What holds after any sequence of calls by anybody
contract InvariantsTest is LogTest {
    Handler internal handler;

    function setUp() public override {
        super.setUp();
        handler = new Handler(log);
    }

    /// @dev forge calls these, with senders and arguments of its choice.
    function targetContracts() public view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(handler);
    }

    function invariant_the_size_strictly_grows() public view {
        (uint64 before,) = handler.seen(0);
        for (uint256 n = 1; n < handler.states(); ++n) {
            (uint64 size,) = handler.seen(n);
            check(size > before, "grows");
            before = size;
        }
        (uint64 latest,) = log.latest();
        same(latest, before, "latest");
    }

    function invariant_an_anchored_root_never_changes() public view {
        for (uint256 n = 1; n < handler.states(); ++n) {
            (uint64 size, bytes32 root) = handler.seen(n);
            same(log.rootAt(size), root, "root");
        }
    }

    function invariant_every_anchor_extends_the_one_before() public view {
        same(handler.grownWithoutExtending(), 0, "forgeries accepted");
        for (uint256 n = 1; n < handler.states(); ++n) {
            (uint64 size, bytes32 root) = handler.seen(n);
            check(handler.anchoredByUs(size), "ours");
            same(root, handler.dueRoot(size), "of the one list of entries");
        }
    }

    function invariant_only_what_was_anchored_has_a_root() public view {
        uint256 next = 1;
        (uint64 latest,) = log.latest();
        for (uint64 size; size <= latest + 2; ++size) {
            uint64 due;
            if (next < handler.states()) (due,) = handler.seen(next);
            if (due != 0 && due == size) {
                ++next;
                check(log.rootAt(size) != 0, "anchored");
            } else {
                same(log.rootAt(size), 0, "never anchored");
            }
        }
    }

    function invariant_without_the_role_nothing_changes() public view {
        same(handler.changedWithoutTheRole(), 0, "changed");
        same(handler.refusedForAnotherReason(), 0, "refused, but not for the role");
        check(log.hasRole(ANCHORER, ANNA) && log.hasRole(PAUSER, PAUL) && log.hasRole(REGISTRAR, RITA), "roles");
        check(!log.hasRole(ANCHORER, STRANGER), "a stranger");
        same(log.defaultAdmin(), ADMIN, "administrator");
        same(log.defaultAdminDelay(), DELAY, "delay");
    }

    function invariant_a_role_changes_only_what_is_its_own() public view {
        same(handler.outOfBounds(), 0, "slots of others, or calls that must be refused");
    }

    function invariant_a_retry_changes_nothing() public view {
        same(handler.changedByARetry(), 0, "changed");
    }

    function invariant_honest_work_is_never_refused() public view {
        same(handler.honestWorkRefused(), 0, "refused");
    }

    function invariant_pausing_stops_anchoring() public view {
        same(handler.grownWhilePaused(), 0, "anchored while paused");
        check(log.paused() == handler.duePaused(), "paused");
    }

    function invariant_pausing_stops_nothing_else() public view {
        same(handler.stoppedByAPause(), 0, "refused");
    }

    function invariant_frozen_is_for_ever() public view {
        same(handler.grownWhileFrozen(), 0, "anchored while frozen");
        same(log.successor(), handler.dueSuccessor(), "successor");
        if (handler.dueSuccessor() != address(0)) {
            (uint64 size,) = log.latest();
            same(size, handler.sizeWhenFrozen(), "size");
        }
    }

    /// @dev Exactly as given, ended at the very second of its rotation, revoked at the very second of its revocation.
    function invariant_the_registry_is_never_back_dated() public view {
        for (uint256 n; n < handler.keyCount(); ++n) {
            address key = handler.keys(n);
            same(log.party(key), handler.due(key), "party");
        }
    }

    /// @dev A handler that no longer reaches an action would make the invariants hold for nothing.
    function test_the_handler_reaches_what_it_is_for() public {
        for (uint256 n; n < 40; ++n) {
            handler.grow(n);
            handler.forge(n, n, n);
            handler.retry(n);
            handler.pauseIt(n);
            handler.registerIt(0, FOR_EVER, 1, PARTY);
            handler.wait_(60);
            handler.trespass(n, n, n);
            handler.rotateIt(n, FOR_EVER);
            handler.revokeIt(3 * n);
            handler.registerAgain(n, 1, 2);
            if (n % 3 == 2) handler.unpauseIt();
            if (n > 30) handler.freezeIt(n, address(0));
        }
        check(handler.states() > 10, "states");
        check(handler.count("trespassed") > 30, "trespasses");
        check(handler.count("rotated") > 5, "rotations");
        check(handler.count("revoked") > 5, "revocations");
        check(handler.dueSuccessor() != address(0), "frozen");
        invariant_the_size_strictly_grows();
        invariant_an_anchored_root_never_changes();
        invariant_every_anchor_extends_the_one_before();
        invariant_without_the_role_nothing_changes();
        invariant_the_registry_is_never_back_dated();
        invariant_frozen_is_for_ever();
    }
}
