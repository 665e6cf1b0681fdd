"""Verify a bundle against an auditor's own trust file, offline: the library and the command.

docs/spec/bundle.md, rules 10-16; docs/spec/access-log.md rules 8-10 (proofs from the private tree).
"""

import argparse
import json
import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import asdict
from functools import partial
from io import TextIOWrapper
from pathlib import Path
from typing import Final, NoReturn, TextIO

from sudonglian.chain import access_proof, checkpoint, mpt, qbft
from sudonglian.chain import bundle as bundles
from sudonglian.chain import header as headers
from sudonglian.chain import receipt as receipts
from sudonglian.chain import trust as trusts
from sudonglian.chain.bundle import Bundle, BundleRefused, BundleVersionUnknown
from sudonglian.chain.errors import ProofRefused, TrustRefused
from sudonglian.chain.trust import Qbft, Trust
from sudonglian.chain.verify_many import EXIT, USAGE, judge_all
from sudonglian.chain.verify_report import Lang, say, shown
from sudonglian.chain.verify_steps import Completeness, Confirmation, Examination, Outcome, Step, Verdict

INTERRUPTED: Final = 130
"""What shells give a program that ^C ended."""

__all__ = ["EXIT", "USAGE", "Verdict", "forget", "main", "outcome", "rests_on", "verify"]


def verify(bundle: bytes, trust: Trust) -> Verdict:
    """Return the verdict on a bundle's bytes; no bytes make it raise."""
    if receipts.is_receipt(bundle):
        return _verify_receipt(bundle, trust)
    try:
        parsed = bundles.parse(bundle)
    except BundleVersionUnknown as refusal:
        if access_proof.is_proof(bundle):
            return _verify_access(bundle, trust)
        return Verdict("INDETERMINATE", "unsigned", "not claimed", (Step("parse", "UNKNOWN", refusal.reason),), ())
    except BundleRefused as refusal:
        step = Step("parse", "FAIL", f"{refusal.place}: {refusal.reason}")
        return Verdict("INVALID", "unsigned", "not claimed", (step,), ())
    examination = Examination(parsed, trust)
    steps = (Step("parse", "PASS", f"{len(bundle)} bytes"), *examination.run())
    return Verdict(
        verdict=outcome(steps),
        confirmation=_confirmation(examination.roles),
        completeness=_completeness(parsed, steps[-1]),
        steps=steps,
        trusted=tuple(rests_on(parsed, examination, trust)),
    )


def _verify_access(raw: bytes, trust: Trust) -> Verdict:
    """Return the verdict on a proof from the private tree."""
    try:
        examination = access_proof.examination(raw, trust)
    except ProofRefused as refusal:
        step = Step("parse", "FAIL", f"{refusal.place}: {refusal.reason}")
        return Verdict("INVALID", "unsigned", "not claimed", (step,), ())
    steps = (Step("parse", "PASS", f"{len(raw)} bytes"), *examination.run())
    trusted = tuple(rests_on(examination.bundle, examination, trust))
    return Verdict(outcome(steps), "unsigned", "not claimed", steps, trusted)


def _verify_receipt(raw: bytes, trust: Trust) -> Verdict:
    """Return the verdict on the receipt of an erasure."""
    try:
        parsed = receipts.parse(raw)
    except BundleVersionUnknown as refusal:
        return Verdict("INDETERMINATE", "unsigned", "not claimed", (Step("parse", "UNKNOWN", refusal.reason),), ())
    except BundleRefused as refusal:
        step = Step("parse", "FAIL", f"{refusal.place}: {refusal.reason}")
        return Verdict("INVALID", "unsigned", "not claimed", (step,), ())
    examination = receipts.examination(parsed, trust)
    steps = (Step("parse", "PASS", f"{len(raw)} bytes"), *examination.run())
    trusted = tuple(rests_on(examination.bundle, examination, trust))
    return Verdict(outcome(steps), "unsigned", "not claimed", steps, trusted)


def outcome(steps: Iterable[Step]) -> Outcome:
    """Return what the steps come to together."""
    results = {step.result for step in steps}
    return "INVALID" if "FAIL" in results else "INDETERMINATE" if "UNKNOWN" in results else "VALID"


def forget() -> None:
    """Drop what is kept from one bundle to the next: headers, nodes, seals and signatures that were found good."""
    for kept in (headers.parse, mpt.read_node, qbft.verify_sealed, checkpoint.verify_text):
        kept.cache_clear()


def main(argv: Sequence[str] | None = None) -> int:
    """Run `sudonglian-verify`; return its exit code."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):  # a terminal that cannot show a character must not become a traceback
            stream.reconfigure(errors="backslashreplace")
    try:
        return _run(argv)
    except BrokenPipeError:  # the reader went away (| head): that says nothing of the bundle, so it is no verdict
        _let_go(sys.stdout, sys.stderr)
        return USAGE
    except KeyboardInterrupt:
        return INTERRUPTED


def _let_go(*streams: TextIO) -> None:
    """Point streams that fail at nothing: what they still hold would fail again, loudly, at the interpreter's end."""
    for stream in streams:
        with suppress(OSError, ValueError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def _run(argv: Sequence[str] | None) -> int:
    try:
        arguments = _arguments(argv)
        trust = trusts.parse(_read(Path(arguments.trust), trusts.MAX_BYTES))
        files = list(_files(arguments.file))
        if len(arguments.file) > 1 or Path(arguments.file[0]).is_dir():
            out, err = (
                stream or os.fdopen(os.open(os.devnull, os.O_WRONLY), "w") for stream in (sys.stdout, sys.stderr)
            )
            judge = partial(_judge, trust=trust)
            code = judge_all(files, judge, out, err, as_json=arguments.json, lang=arguments.lang)
        else:
            code = _report_one(files[0], trust, as_json=arguments.json, lang=arguments.lang)
        if sys.stdout is not None:
            sys.stdout.flush()
        return code
    except SystemExit as stop:
        return int(stop.code or 0)
    except TrustRefused as refusal:
        return _usage(f"the trust file: {refusal.diagnostics()}")
    except BrokenPipeError:
        raise
    except OSError as error:
        if not error.filename:
            _let_go(sys.stdout)
        return _usage(f"{error.filename or 'standard output'}: {error.strerror}")


def _judge(file: Path, trust: Trust) -> Verdict:
    return verify(_read(file, bundles.MAX_BYTES), trust)


def _report_one(file: Path, trust: Trust, *, as_json: bool, lang: Lang) -> int:
    verdict = _judge(file, trust)
    # ASCII, so that it is the same document on a terminal of any encoding
    _print(json.dumps(asdict(verdict)) if as_json else say(str(file), verdict, lang), sys.stdout)
    return EXIT[verdict.verdict]


def _confirmation(roles: list[set[str]]) -> Confirmation:
    common = set.intersection(*roles) if roles else set()
    if len(common) == 2:
        return "both"
    return "consignor" if "consignor" in common else "consignee" if "consignee" in common else "unsigned"


def _completeness(bundle: Bundle, lots: Step) -> Completeness:
    if not bundle.lots:
        return "not claimed"
    return "complete" if lots.result == "PASS" else "incomplete"


def rests_on(bundle: Bundle, examination: Examination, trust: Trust) -> Iterator[str]:
    """Give what of the trust was used."""
    try:
        log = trust.log(examination.note.origin)
    except ProofRefused:
        log = None
    if log is not None:
        yield f"log key {log.key}"
    anchors = [*bundle.anchors, *(one.anchor for record in bundle.records for one in record.signatures)]
    for chain in dict.fromkeys(trust.chain(one.genesis, one.contract) for one in anchors):
        if chain is not None:
            rule = (
                f"QBFT validators {', '.join(one.hex() for one in sorted(chain.finality.validators))}"
                if isinstance(chain.finality, Qbft)
                else f"a list of {len(chain.finality.headers)} header hashes"
            )
            yield (
                f"chain {chain.chain_id} with genesis {chain.genesis.hex()}, contract {chain.contract.hex()} "
                f"with code {chain.code_hash.hex()}, {rule}"
            )


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise SystemExit(_usage(message))


def _arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = _Parser(
        prog="sudonglian-verify",
        description="Verify bundles offline against your own trust file. 离线验证凭证包。",
        epilog="Exit: 0 valid, 1 invalid, 2 indeterminate (a trusted input is lacking), 64 wrong usage or unreadable file.",
    )
    parser.add_argument(
        "file",
        nargs="+",
        metavar="FILE",
        help="a bundle, or a folder of bundles (*.json); of several each gets a line, and with --json all of its steps",
    )
    parser.add_argument(
        "--trust", required=True, metavar="trust.json", help="what you trust; never taken from a bundle"
    )
    parser.add_argument("--json", action="store_true", help="one JSON document on standard output")
    parser.add_argument("--lang", choices=("zh", "en"), default="en", help="language of the report")
    return parser.parse_args(argv)


def _files(names: Iterable[str]) -> Iterator[Path]:
    for name in names:
        path = Path(name)
        if not path.is_dir():
            yield path
            continue
        found = sorted(path.glob("*.json"))
        if not found:
            raise FileNotFoundError(2, "no *.json in the folder", name)
        yield from found


def _read(path: Path, limit: int) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(limit + 1)  # one more, so that the reader sees that it is too large
    except ValueError as error:  # a null byte in the name
        raise FileNotFoundError(2, str(error), str(path)) from error


def _usage(message: str) -> int:
    _print(f"sudonglian-verify: {shown(message)}", sys.stderr)
    return USAGE


def _print(text: str, stream: TextIO) -> None:
    print(text, file=stream)


if __name__ == "__main__":
    sys.exit(main())
