// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {IAccessControl} from "@openzeppelin/contracts/access/IAccessControl.sol";
import {
    IAccessControlDefaultAdminRules
} from "@openzeppelin/contracts/access/extensions/IAccessControlDefaultAdminRules.sol";
import {LogTest} from "./LogTest.sol";
import {Tree} from "./Tree.sol";

/// @title Who may do what: every function that changes something, tried by everybody
contract RolesTest is LogTest {
    struct Call {
        bytes data;
        bytes32 role;
    }

    address internal constant KEY = address(0xCE1);

    function setUp() public override {
        super.setUp();
        register(KEY, 1, FOR_EVER, 1);
    }

    function holder(bytes32 role) internal pure returns (address) {
        return role == ANCHORER ? ANNA : role == PAUSER ? PAUL : role == REGISTRAR ? RITA : ADMIN;
    }

    /// @dev Calls that each succeed when the role's holder makes them on a new contract.
    function calls() internal view returns (Call[] memory made) {
        made = new Call[](13);
        made[0] = Call(abi.encodeCall(log.anchor, (8, Tree.root(Tree.leaves(1, 8), 8), none, META)), ANCHORER);
        made[1] = Call(abi.encodeCall(log.pause, ()), PAUSER);
        made[2] = Call(abi.encodeCall(log.unpause, ()), PAUSER);
        made[3] = Call(abi.encodeCall(log.freeze, (address(0xBEEF))), ADMINISTRATOR);
        made[4] = Call(abi.encodeCall(log.register, (address(0xABC), PARTY, 1, FOR_EVER, 3)), REGISTRAR);
        made[5] = Call(abi.encodeCall(log.rotate, (KEY, address(0xABD), FOR_EVER)), REGISTRAR);
        made[6] = Call(abi.encodeCall(log.revoke, (KEY)), REGISTRAR);
        made[7] = Call(abi.encodeCall(log.grantRole, (ANCHORER, STRANGER)), ADMINISTRATOR);
        made[8] = Call(abi.encodeCall(log.revokeRole, (ANCHORER, ANNA)), ADMINISTRATOR);
        made[9] = Call(abi.encodeCall(log.beginDefaultAdminTransfer, (STRANGER)), ADMINISTRATOR);
        made[10] = Call(abi.encodeCall(log.cancelDefaultAdminTransfer, ()), ADMINISTRATOR);
        made[11] = Call(abi.encodeCall(log.changeDefaultAdminDelay, (1)), ADMINISTRATOR);
        made[12] = Call(abi.encodeCall(log.rollbackDefaultAdminDelay, ()), ADMINISTRATOR);
    }

    function test_the_roles_are_those_of_the_specification() public view {
        check(log.hasRole(ADMINISTRATOR, ADMIN) && log.defaultAdmin() == ADMIN, "administrator");
        check(log.hasRole(ANCHORER, ANNA), "anchorer");
        check(log.hasRole(PAUSER, PAUL), "pauser");
        check(log.hasRole(REGISTRAR, RITA), "registrar");
        same(log.getRoleAdmin(ANCHORER), ADMINISTRATOR, "who gives it");
        same(log.getRoleAdmin(PAUSER), ADMINISTRATOR, "who gives it");
        same(log.getRoleAdmin(REGISTRAR), ADMINISTRATOR, "who gives it");
    }

    function test_every_call_needs_its_role_and_no_other() public {
        Call[] memory made = calls();
        address[5] memory people = [ADMIN, ANNA, PAUL, RITA, STRANGER];
        for (uint256 n; n < made.length; ++n) {
            for (uint256 who; who < people.length; ++who) {
                if (people[who] == holder(made[n].role)) continue;
                (bool done, bytes memory said, bytes32[] memory changed) = tried(people[who], made[n].data);
                check(!done, "refused");
                same(changed.length, 0, "slots changed");
                same(keccak256(said), keccak256(unauthorized(people[who], made[n].role)), "why");
            }
        }
    }

    function test_the_holder_of_the_role_may() public {
        for (uint256 n; n < calls().length; ++n) {
            setUp();
            Call memory one = calls()[n];
            (bool done,,) = tried(holder(one.role), one.data);
            check(done, "done");
        }
    }

    function testFuzz_nobody_else_changes_anything(address sender, uint256 which, bytes memory data) public {
        if (sender == ADMIN || sender == ANNA || sender == PAUL || sender == RITA) sender = STRANGER;
        Call[] memory made = calls();
        bytes4[19] memory all = everything();
        // Half of the calls are sound and only the sender is not; the others are noise behind a real selector.
        bytes memory sent =
            which % 2 == 0 ? made[which / 2 % made.length].data : bytes.concat(all[which / 2 % all.length], data);
        (,, bytes32[] memory changed) = tried(sender, sent);
        same(changed.length, 0, "slots changed");
        (,, changed) = tried(sender, data);
        same(changed.length, 0, "slots changed by noise");
    }

    /// @dev Every function that is not a view, and four that are.
    function everything() internal view returns (bytes4[19] memory) {
        return [
            log.anchor.selector,
            log.pause.selector,
            log.unpause.selector,
            log.freeze.selector,
            log.register.selector,
            log.rotate.selector,
            log.revoke.selector,
            log.grantRole.selector,
            log.revokeRole.selector,
            log.renounceRole.selector,
            log.beginDefaultAdminTransfer.selector,
            log.acceptDefaultAdminTransfer.selector,
            log.cancelDefaultAdminTransfer.selector,
            log.changeDefaultAdminDelay.selector,
            log.rollbackDefaultAdminDelay.selector,
            log.latest.selector,
            log.party.selector,
            log.included.selector,
            log.consistent.selector
        ];
    }

    function test_a_role_that_was_taken_is_gone() public {
        vm.prank(ADMIN);
        log.revokeRole(PAUSER, PAUL);
        vm.expectRevert(unauthorized(PAUL, PAUSER));
        pause(true);
        vm.prank(ANNA);
        log.renounceRole(ANCHORER, ANNA);
        vm.expectRevert(unauthorized(ANNA, ANCHORER));
        anchor(8, META, none);
    }

    function test_AccessControlBadConfirmation() public {
        vm.expectRevert(abi.encodeWithSelector(IAccessControl.AccessControlBadConfirmation.selector));
        vm.prank(STRANGER);
        log.renounceRole(ANCHORER, ANNA);
    }

    function test_AccessControlEnforcedDefaultAdminRules() public {
        bytes memory reason =
            abi.encodeWithSelector(IAccessControlDefaultAdminRules.AccessControlEnforcedDefaultAdminRules.selector);
        vm.expectRevert(reason);
        vm.prank(ADMIN);
        log.grantRole(ADMINISTRATOR, STRANGER);
        vm.expectRevert(reason);
        vm.prank(ADMIN);
        log.revokeRole(ADMINISTRATOR, ADMIN);
    }

    function test_AccessControlInvalidDefaultAdmin() public {
        vm.prank(ADMIN);
        log.beginDefaultAdminTransfer(STRANGER);
        vm.warp(START + DELAY + 1);
        vm.expectRevert(
            abi.encodeWithSelector(IAccessControlDefaultAdminRules.AccessControlInvalidDefaultAdmin.selector, ANNA)
        );
        vm.prank(ANNA);
        log.acceptDefaultAdminTransfer();
    }

    function test_AccessControlEnforcedDefaultAdminDelay() public {
        vm.prank(ADMIN);
        log.beginDefaultAdminTransfer(STRANGER);
        vm.warp(START + DELAY);
        vm.expectRevert(
            abi.encodeWithSelector(
                IAccessControlDefaultAdminRules.AccessControlEnforcedDefaultAdminDelay.selector, START + DELAY
            )
        );
        vm.prank(STRANGER);
        log.acceptDefaultAdminTransfer();
        same(log.defaultAdmin(), ADMIN, "still the old one");
        vm.warp(START + DELAY + 1);
        vm.prank(STRANGER);
        log.acceptDefaultAdminTransfer();
        same(log.defaultAdmin(), STRANGER, "the new one");
        vm.expectRevert(unauthorized(ADMIN, ADMINISTRATOR));
        freeze(address(0xBEEF));
    }

    function test_a_transfer_that_was_called_off_is_not_accepted() public {
        vm.prank(ADMIN);
        log.beginDefaultAdminTransfer(STRANGER);
        vm.prank(ADMIN);
        log.cancelDefaultAdminTransfer();
        vm.warp(START + 2 * DELAY);
        vm.expectRevert(
            abi.encodeWithSelector(IAccessControlDefaultAdminRules.AccessControlInvalidDefaultAdmin.selector, STRANGER)
        );
        vm.prank(STRANGER);
        log.acceptDefaultAdminTransfer();
    }

    function test_no_ether_is_taken() public {
        vm.deal(PAUL, 2);
        vm.prank(PAUL);
        (bool done,) = address(log).call{value: 1}("");
        check(!done, "plain");
        vm.prank(PAUL);
        (done,) = address(log).call{value: 1}(abi.encodeCall(log.pause, ()));
        check(!done, "with a call");
        same(address(log).balance, 0, "wei");
    }
}
