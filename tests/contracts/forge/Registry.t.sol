// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {ISudonglianLog} from "../../../contracts/ISudonglianLog.sol";
import {LogTest} from "./LogTest.sol";

/// @title docs/spec/contract.md rules 9 to 12 and 16: the registry of the parties' keys
contract RegistryTest is LogTest {
    address internal constant OLD = address(0x01D);
    address internal constant NEW = address(0x4E3);

    function party(uint64 from, uint64 to, uint64 revoked, uint8 roles)
        internal
        pure
        returns (ISudonglianLog.Party memory)
    {
        return ISudonglianLog.Party(PARTY, from, to, revoked, roles);
    }

    function present() internal view returns (uint64) {
        return uint64(block.timestamp);
    }

    function refusedParty(address key, bytes32 id, uint64 from, uint64 to, uint8 roles) internal {
        vm.expectRevert(abi.encodeWithSelector(ISudonglianLog.InvalidParty.selector, key, id, from, to, roles));
        vm.prank(RITA);
        log.register(key, id, from, to, roles);
    }

    function test_a_key_is_registered_with_its_window_and_roles() public {
        same(log.party(OLD), ISudonglianLog.Party(0, 0, 0, 0, 0), "unknown");
        vm.expectEmit(true, true, true, true, address(log));
        emit ISudonglianLog.PartyRegistered(OLD, PARTY, 5, FOR_EVER, 3);
        register(OLD, 5, FOR_EVER, 3);
        same(log.party(OLD), party(5, FOR_EVER, 0, 3), "registered");
    }

    function test_a_party_lies_in_the_slots_of_the_specification() public {
        (bool done,, bytes32[] memory changed) = tried(RITA, abi.encodeCall(log.register, (OLD, PARTY, 7, 9, 2)));
        check(done, "registered");
        same(changed.length, 2, "slots");
        bytes32 first = partySlot(OLD);
        bytes32 second = bytes32(uint256(first) + 1);
        same(changed[0], first, "party's slot");
        same(changed[1], second, "window's slot");
        same(vm.load(address(log), first), PARTY, "party");
        same(vm.load(address(log), second), bytes32(uint256(7) | 9 << 64 | 2 << 192), "window");
        vm.warp(8);
        revoke(OLD);
        same(vm.load(address(log), second), bytes32(uint256(7) | 9 << 64 | 8 << 128 | 2 << 192), "revoked");
    }

    function test_InvalidParty() public {
        refusedParty(address(0), PARTY, 1, 2, 1);
        refusedParty(OLD, 0, 1, 2, 1);
        refusedParty(OLD, PARTY, 2, 2, 1);
        refusedParty(OLD, PARTY, 3, 2, 1);
        refusedParty(OLD, PARTY, 1, 2, 0);
    }

    function test_KeyKnown() public {
        register(OLD, 5, 6, 1);
        vm.expectRevert(abi.encodeWithSelector(ISudonglianLog.KeyKnown.selector, OLD));
        register(OLD, 7, FOR_EVER, 3);
        register(NEW, 1, FOR_EVER, 1);
        vm.expectRevert(abi.encodeWithSelector(ISudonglianLog.KeyKnown.selector, OLD));
        rotate(NEW, OLD, FOR_EVER);
        vm.expectRevert(abi.encodeWithSelector(ISudonglianLog.KeyKnown.selector, NEW));
        rotate(NEW, NEW, FOR_EVER);
        same(log.party(OLD), party(5, 6, 0, 1), "as it was");
        same(log.party(NEW), party(1, FOR_EVER, 0, 1), "a refused rotation ends nothing");
        revoke(NEW);
        vm.expectRevert(abi.encodeWithSelector(ISudonglianLog.KeyKnown.selector, NEW));
        register(NEW, 7, FOR_EVER, 3);
    }

    function test_KeyUnknown() public {
        bytes memory reason = abi.encodeWithSelector(ISudonglianLog.KeyUnknown.selector, OLD);
        vm.expectRevert(reason);
        rotate(OLD, NEW, FOR_EVER);
        vm.expectRevert(reason);
        revoke(OLD);
    }

    function test_KeyNotInForce() public {
        bytes memory reason = abi.encodeWithSelector(ISudonglianLog.KeyNotInForce.selector, OLD);
        register(OLD, present() + 10, present() + 20, 1);
        vm.expectRevert(reason);
        rotate(OLD, NEW, FOR_EVER);
        vm.warp(START + 9);
        vm.expectRevert(reason);
        rotate(OLD, NEW, FOR_EVER);
        vm.warp(START + 20);
        vm.expectRevert(reason);
        rotate(OLD, NEW, FOR_EVER);
        // What is over can still be revoked: its theft is told.
        revoke(OLD);
        vm.expectRevert(reason);
        revoke(OLD);
        vm.warp(START + 15);
        vm.expectRevert(reason);
        rotate(OLD, NEW, FOR_EVER);
    }

    function test_a_key_in_force_is_rotated_from_its_first_second_to_its_last() public {
        register(OLD, present(), present() + 1, 3);
        rotate(OLD, NEW, FOR_EVER);
        same(log.party(OLD), party(present(), present(), 0, 3), "never signed");
        address third = address(0x333);
        vm.warp(START + 100);
        register(third, 0, present() + 1, 2);
        rotate(third, address(0x444), FOR_EVER);
        same(log.party(third), party(0, present(), 0, 2), "ended in its last second");
    }

    function test_a_rotation_ends_the_old_key_where_the_new_one_begins() public {
        register(OLD, 5, FOR_EVER, 2);
        vm.warp(START + 3 days);
        vm.expectEmit(true, true, true, true, address(log));
        emit ISudonglianLog.PartyRegistered(NEW, PARTY, present(), FOR_EVER - 1, 2);
        vm.expectEmit(true, true, true, true, address(log));
        emit ISudonglianLog.PartyRotated(OLD, NEW, PARTY, present());
        rotate(OLD, NEW, FOR_EVER - 1);
        same(log.party(OLD), party(5, present(), 0, 2), "old");
        same(log.party(NEW), party(present(), FOR_EVER - 1, 0, 2), "new");
    }

    function test_a_rotation_to_a_window_that_is_none_is_refused() public {
        register(OLD, 5, FOR_EVER, 2);
        vm.expectRevert(
            abi.encodeWithSelector(ISudonglianLog.InvalidParty.selector, NEW, PARTY, present(), present(), 2)
        );
        rotate(OLD, NEW, present());
        same(log.party(OLD), party(5, FOR_EVER, 0, 2), "as it was");
    }

    function test_a_revocation_bears_the_blocks_time() public {
        register(OLD, 5, FOR_EVER, 1);
        vm.warp(START + 1 weeks);
        vm.expectEmit(true, true, true, true, address(log));
        emit ISudonglianLog.PartyRevoked(OLD, PARTY, present());
        revoke(OLD);
        same(log.party(OLD), party(5, FOR_EVER, present(), 1), "revoked now");
        vm.warp(START + 2 weeks);
        vm.expectRevert(abi.encodeWithSelector(ISudonglianLog.KeyNotInForce.selector, OLD));
        revoke(OLD);
        same(log.party(OLD).revokedAt, START + 1 weeks, "not moved");
    }

    function testFuzz_a_party_is_kept_as_given_or_refused(address key, bytes32 id, uint64 from, uint64 to, uint8 roles)
        public
    {
        if (key == address(0) || id == 0 || from >= to || roles == 0) {
            refusedParty(key, id, from, to, roles);
            return;
        }
        vm.prank(RITA);
        log.register(key, id, from, to, roles);
        same(log.party(key), ISudonglianLog.Party(id, from, to, 0, roles), "kept");
    }

    function testFuzz_only_a_key_in_force_is_rotated(uint64 from, uint64 to, uint64 moment) public {
        from = uint64(within(from, 0, FOR_EVER - 2));
        to = uint64(within(to, uint256(from) + 1, FOR_EVER - 1));
        register(OLD, from, to, 1);
        vm.warp(within(moment, 1, FOR_EVER - 1));
        (bool done, bytes memory said, bytes32[] memory changed) =
            tried(RITA, abi.encodeCall(log.rotate, (OLD, NEW, FOR_EVER)));
        check(done == (from <= present() && present() < to), "in force");
        if (done) {
            same(log.party(OLD), party(from, present(), 0, 1), "old");
            same(log.party(NEW), party(present(), FOR_EVER, 0, 1), "new");
        } else {
            same(changed.length, 0, "slots changed");
            same(bytes32(said), bytes32(ISudonglianLog.KeyNotInForce.selector), "why");
        }
    }
}
