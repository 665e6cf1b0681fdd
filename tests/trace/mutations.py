"""One rule of the engine broken at a time: each must turn this suite red (test_mutations.py runs it).

A mutation is a file of trace/engine, a text that stands in it exactly once, and what it becomes.
"""

from typing import Final, NamedTuple


class Mutation(NamedTuple):
    """What is broken, and how."""

    rule: str
    file: str
    old: str
    new: str


MUTATIONS: Final = (
    Mutation("an instant lasts a microsecond", "facts.py", "INSTANT: Final[Micros] = 1", "INSTANT: Final[Micros] = 2"),
    Mutation("empty stays are dropped", "facts.py", "if stay.start < stay.end", "if True"),
    Mutation("strict: two meetings never share an instant", "forward.py", "else int(state.strict)", "else 0"),
    Mutation(
        "a flow passes what was exposed by its time",
        "forward.py",
        "if arc[3] == 0 and clock <= 2 * arc[2] + 1:",
        "if arc[3] == 0:",
    ),
    Mutation("a flow with a hop too", "forward.py", "if arc[3] and clock <= 2 * arc[2] + 1:", "if arc[3]:"),
    Mutation("flows without a hop are free", "forward.py", "arc[3] == 0 and", "False and"),
    Mutation("exposure begins with the onset", "forward.py", "begin = max(onset, start)", "begin = start"),
    Mutation("places linger", "presence.py", "_held(ends[by_place] + waits[place])", "_held(ends[by_place])"),
    Mutation("generations are limited", "forward.py", "if max_hops is None or hops < max_hops:", "if True:"),
    Mutation("who comes later is exposed", "forward.py", "range(first, last)]", "range(first, first)]"),
    Mutation("who is there is exposed", "forward.py", "[] if joined else", "[] if True else"),
    Mutation(
        "an earlier exposure counts",
        "forward.py",
        "if clock >= known(party, NEVER) or",
        "if known(party, NEVER) < NEVER or",
    ),
    Mutation(
        "a window shrinks to when it was met",
        "stab.py",
        "found.append(first)\n                    until[first] = time",
        "found.append(first)\n                    until[first] = self._start[first]",
    ),
    Mutation("a small place is read through", "stab.py", "range(low, known) if", "range(low, known - 1) if"),
    Mutation(
        "a party's rows begin after those that have ended",
        "presence.py",
        "bisect_right(by.reach, onset, low, high)",
        "low + 1",
    ),
    Mutation("an interval ends the question at until", "presence.py", "np.minimum(end, until + INSTANT)", "end"),
    Mutation(
        "an instant at until counts",
        "presence.py",
        "np.where(start <= until, end, start)",
        "np.where(start < until, end, start)",
    ),
    Mutation("backward turns intervals", "presence.py", "return INSTANT - end, INSTANT - start", "return -end, -start"),
    Mutation("a disinfection ends a life", "lives.py", "if clean.complete and", "if not clean.complete and"),
    Mutation(
        "who meets it while it is disinfected is exposed", "lives.py", "add(clean.time + INSTANT)", "add(clean.time)"
    ),
    Mutation("an uncertain disinfection leaves possible", "lives.py", "(clean.certain or certain)", "True"),
    Mutation("a seed was possibly exposed before a disinfection", "lives.py", "if start < end <= last)]", "if False)]"),
    Mutation("certain rests on certain stays", "ground.py", "stays.only_certain() if certain else stays", "stays"),
    Mutation(
        "certain rests on certain flows",
        "ground.py",
        "[flow for flow in facts.flows if flow.certain or not certain]",
        "list(facts.flows)",
    ),
    Mutation("flows after until pass nothing", "ground.py", "time if time <= horizon else -OPEN_END", "time"),
    Mutation(
        "hops through persons are counted apart", "run.py", 'by_person = passer.kind == "person"', "by_person = False"
    ),
    Mutation(
        "the seed is possible from the lookback on", "query.py", "min(time, max(first[party], time - lookback))", "time"
    ),
    Mutation(
        "backward, portions that nothing singles out are possible",
        "run.py",
        "if not certain or seed.certain is not None:",
        "if True:",
    ),
    Mutation(
        "backward asks of the life that was sampled",
        "run.py",
        "starts.append(waning.Seed(land.parties.at(seed.subject, at), -at, -at))",
        "starts.append(waning.Seed(land.parties.at(seed.subject, -OPEN_END), -at, -at))",
    ),
    Mutation("only one portion alive is certain", "query.py", "if len(alive) == 1 else", "if alive else"),
    Mutation("a negative sample is no seed", "query.py", "if meant and not any(", "if False and not any("),
    Mutation("nobody raises the own tier", "firing.py", "hops[stays.party] + 1)", "hops[stays.party] + 1_000)"),
    Mutation(
        "a party is no source to itself",
        "firing.py",
        "np.where(latest.leader[at] == stays.party[here], latest.other[at], latest.key[at])",
        "latest.key[at]",
    ),
    Mutation("departure before arrival of the same time", "order.py", "rank = BEFORE_ALL", "rank = rank"),
    Mutation(
        "superseded events say nothing", "derive.py", "if not (event.superseded or event.declares_error):", "if True:"
    ),
    Mutation(
        "packing closes without meeting the outside",
        "derive.py",
        "            time += INSTANT\n",
        "            time += 0\n",
    ),
    Mutation(
        "an exposed unit exposes what is put in",
        "derive.py",
        "elif ledger.nest(child, parent, time, record):",
        "elif ledger.nest(child, parent, time, record) and False:",
    ),
    Mutation(
        "what is left of a lot is possibly there",
        "derive.py",
        "event.event_time, event.record_hash, certain=False)\n\n    def _show_share",
        "event.event_time, event.record_hash)\n\n    def _show_share",
    ),
    Mutation("a read point alone is a possible stay", "derive.py", 'certain=effect == "arrive")', "certain=True)"),
    Mutation(
        "a flattened list leaves the box in its pallet",
        "derive.py",
        "(units[0] in named or parent in units[1:])",
        "False",
    ),
    Mutation(
        "an input in a unit opens it",
        "derive.py",
        "                for unit in units:\n                    ledger.open(unit, time, record)\n            elif",
        "                pass\n            elif",
    ),
    Mutation(
        "only an arrival makes the time before certain",
        "ledger.py",
        '(begun.place.kind == "vehicle" and arrives)',
        'begun.place.kind == "vehicle"',
    ),
    Mutation(
        "what is shown elsewhere had left",
        "ledger.py",
        "since, time, one.record, certain=False",
        "since, time, one.record, certain=True",
    ),
    Mutation(
        "possibly here since it left",
        "ledger.py",
        "        if not arrives:\n            self.emit",
        "        if False:\n            self.emit",
    ),
    Mutation(
        "a unit that gave something out was possibly open", "ledger.py", "if unit not in self._opened:", "if False:"
    ),
    Mutation(
        "both places of one instant are possible",
        "ledger.py",
        "append(begun._replace(certain=False))",
        "append(begun._replace(start=time + 1, certain=False))\n            self._elsewhere.pop(item)",
    ),
    Mutation(
        "a nesting makes no circle",
        "ledger.py",
        "if child == parent or child in self.units(parent):",
        "if child == parent:",
    ),
    Mutation(
        "a closed unit is not open",
        "ledger.py",
        "        opened = self._opened.pop(parent, None)\n",
        "        opened = None\n",
    ),
    Mutation(
        "unpacking does not open what was unpacked",
        "handling.py",
        'elif person.contact == "opened" and rule.nest != "add":',
        'if person.contact == "opened" and rule.nest != "add":',
    ),
    Mutation("same room is no handling", "handling.py", 'if person.contact == "same-room" and rooms:', "if False:"),
    Mutation(
        "who opens reaches inside",
        "handling.py",
        'ledger.emit("handle", who, interior_of(unit)',
        'ledger.emit("handle", who, Place("interior", "")',
    ),
    Mutation("a person is possibly where nothing says", "handling.py", "sure = seen.place is not None", "sure = True"),
    Mutation("a wrapped item is handled only possibly", "handling.py", "(item, bare)}", "(item, True)}"),
    Mutation(
        "a disinfection ends with those who do it",
        "handling.py",
        "max([event.event_time, *(end - INSTANT for _, end in spans)])",
        "event.event_time",
    ),
    Mutation(
        "what is wrapped is disinfected possibly",
        "handling.py",
        "subjects += [(item, False) for item, _ in seen.wrapped]",
        "subjects += [(item, True) for item, _ in seen.wrapped]",
    ),
    Mutation("consignments go where they were sent", "portions.py", "if way.destinations & here] or [", "] or ["),
    Mutation("several consignments are possible each", "portions.py", "alone = len(arrived) == 1", "alone = True"),
    Mutation(
        "a lot comes from where it was made",
        "portions.py",
        "in sorted(lot.made.items()):",
        "in sorted(lot.held.items()):",
    ),
    Mutation("a meeting lasts as long as it must", "ground.py", "short = steps[place[must]] - 1", "short = 0 * must"),
    Mutation(
        "what must last exposes at its end",
        "forward.py",
        "index.delay.get(place, 0)",
        "min(0, index.delay.get(place, 0))",
    ),
    Mutation("what lasts takes its own time", "forward.py", "late = 0 if wait else", "late = 1 if wait else"),
    Mutation(
        "a dwell ends with the question", "ground.py", "np.minimum(end[must], horizon) - short", "end[must] - short"
    ),
    Mutation(
        "stays that touch are one dwell", "ground.py", "fresh[1:] |= long.start[1:] > reach[:-1]", "fresh[1:] = True"
    ),
    Mutation(
        "nobody dwells with a sample",
        "ground.py",
        "(steps[place] > 0) & told_rows)",
        "steps[place] > 0)",
    ),
    Mutation(
        "backward a sampled place meets without a dwell", "ground.py", "    if backward and dwell:\n", "    if False:\n"
    ),
    Mutation("backward a dwell begins so much earlier", "forward.py", "start) + lag[place] - 1", "start)"),
    Mutation(
        "backward a place lasts as long after its source",
        "ground.py",
        "-last(land.wear, place, end - 1), INSTANT",
        "begin, INSTANT",
    ),
    Mutation(
        "a tier rests on a meeting that lasts",
        "firing.py",
        "np.flatnonzero(reached.start < np.asarray(land.columns.shut)[reached.row])",
        "np.arange(len(reached.row))",
    ),
    Mutation("a carrier ceases to expose", "fading.py", "return tick + self.span", "return tick + 2 * self.span"),
    Mutation(
        "a later exposure makes it last", "waning.py", ".last(offer.end - 1) + 1)", ".last(offer.clock // 2) + 1)"
    ),
    Mutation("strict where exposure ceases", "waning.py", "late = state.strict and not", "late = False and not"),
    Mutation("nobody is exposed by their own traces", "waning.py", "if party == giver or owner", "if owner"),
    Mutation(
        "a second source exposes the first", "waning.py", "owner not in (NOBODY, party)", "owner not in (NOBODY,)"
    ),
    Mutation("a flow passes while its source exposes", "waning.py", "and 2 * time < part.high:", "and True:"),
    Mutation(
        "where exposure ceases the records' end is the end",
        "terms.py",
        "return max([micros(query.at), *times])",
        "return micros(query.at)",
    ),
    Mutation(
        "a positive place does not cease as goods do",
        "ground.py",
        "fades.pop(parties.at(stay.who, stay.start), None)",
        "pass",
    ),
    Mutation("what wanes has an end", "fading.py", "self._passed(tick) + self._budget", "self._passed(tick)"),
    Mutation("backward asks since when", "fading.py", "self._passed(tick) - self._budget", "self._passed(tick)"),
    Mutation("certain is the fastest waning", "climate.py", "fastest if certain else slowest", "slowest"),
    Mutation("growth is no waning", "climate.py", "max(rate, 0)", "abs(rate)"),
    Mutation("readings far apart do not join", "climate.py", "latest.end < one.start <= latest.end + gap", "True"),
    Mutation(
        "all loggers hold together", "climate.py", "low, high = lows[0][0], -highs[0][0]", "low = high = lows[0][0]"
    ),
    Mutation("own logger first", "climate.py", "if own or party not in self._stays:", "if party not in self._stays:"),
    Mutation(
        "half-lives are log-linear", "policies.py", "EXACT.multiply(EXACT.subtract(last, first), share)", "share * 0"
    ),
    Mutation(
        "temperatures are of items",
        "handling.py",
        "subjects += [share.party.id for share in seen.shares] + [item.id for item, _ in seen.wrapped]\n    else:\n        subjects = [uri for uri in (event.read_point or event.biz_location,) if uri]\n    return [",
        "pass\n    else:\n        subjects = []\n    return [",
    ),
    Mutation(
        "the question goes before the policy",
        "terms.py",
        "{**self.policy.persistence, **asked}",
        "{**asked, **self.policy.persistence}",
    ),
    Mutation(
        "exposure is to whoever needed fewer hops",
        "exposure.py",
        "rungs.below(stays.group, hops)",
        "rungs.below(stays.group, hops + 1)",
    ),
    Mutation(
        "two records of one stay are one exposure", "spans.py", "(start[1:] > reach[:-1])", "(start[1:] >= start[:-1])"
    ),
    Mutation("exposure ends with the question", "exposure.py", "stop = np.minimum(until, end + 1)", "stop = until"),
    Mutation(
        "touching is told apart",
        "exposure.py",
        "for way in (touches, ~touches)",
        "for way in (touches & False, touches | True)",
    ),
    Mutation(
        "a person from whom a trace began is a case",
        "firing.py",
        "[ITEM_CODE, CASE_CODE,",
        "[ITEM_CODE, PERSON_CODE,",
    ),
    Mutation("a rule may ask for the source's tier", "tiers.py", "if rule.of and tier not in rule.of:", "if False:"),
    Mutation(
        "contacts of close contacts are named",
        "firing.py",
        "if asked := sorted(tiers.asked):",
        "if asked := sorted([]):",
    ),
    Mutation(
        "weak links stay weak", "precedence.py", "return WHOLE * dose // (dose + self._touch.half)", "return WHOLE // 2"
    ),
    Mutation(
        "what needed as many hops counts",
        "precedence.py",
        "hops >= max(generation, 1)",
        "hops > generation",
    ),
    Mutation("nobody adds to the own dose", "precedence.py", "- own[one] +", "+"),
    Mutation("what was split off is the same goods", "precedence.py", "generation + (cost == 0):", "generation:"),
    Mutation("goods are not people", "precedence.py", "touch.persons if", "touch.goods if"),
    Mutation(
        "what is packed into something exposed is with it", "precedence.py", "load * self._rule.flow *", "load * 0 *"
    ),
    Mutation(
        "what may have been before the sample counts for all alike",
        "member.py",
        "exposed if terms.rank == FIRST_RANK else possible",
        "exposed if True else possible",
    ),
    Mutation("a tier names what fired it", "firing.py", "Fired(one, source, target)", "Fired(one, target, source)"),
    Mutation("the strongest rule is named", "firing.py", "(ranks == one) & (now[party] > one)", "ranks == one"),
    Mutation("each hop passes on a part", "risk.py", "before * rule.transfer.numerator //", "before //"),
    Mutation("only what needed fewer hops adds to a dose", "risk.py", "wanted & (hops > generation)", "wanted"),
    Mutation("an instant took some minutes", "risk.py", "long + instant * short", "long + short"),
    Mutation("loads halve", "risk.py", "load >> -power", "load"),
    Mutation("loads double where it grows", "risk.py", "load << power if", "load if"),
    Mutation("later generations have no rank", "risk.py", "wanted &= hops <= GENERATIONS", "pass"),
    Mutation("a dose ends with the question", "risk.py", "np.minimum(until, end + 1)", "until"),
    Mutation("what is below a level is found in blocks", "spans.py", "(self._rank >> digit)", "self._rank"),
    Mutation("a span is two of a power of two", "spans.py", "high[here] - (1 << size)", "low[here]"),
    Mutation(
        "the lowest level of a time counts",
        "spans.py",
        "np.minimum(least[half:], whole[:-half]",
        "np.maximum(least[half:], whole[:-half]",
    ),
    Mutation("a worth is added up digit by digit", "spans.py", "one << (low + shift)", "one << low"),
    Mutation(
        "of equal ends the first party leads",
        "firing.py",
        "raises[1:] |= end[1:] > latest[:-1]",
        "raises[1:] |= end[1:] >= latest[:-1]",
    ),
    Mutation("what another party met is remembered", "firing.py", "own[:-1], others[1:])", "NONE, others[1:])"),
    Mutation(
        "the first meeting that fires is named", "firing.py", "stay[some[turn < most]]", "stay[some[turn < most]][::-1]"
    ),
    Mutation(
        "a life that is cut is looked at by itself",
        "ground.py",
        "cut_who[known.who] | cut_where[known.where]",
        "cut_where[known.where]",
    ),
    Mutation("columns lose what went", "told.py", "for one in away]] = False", "for one in away]] = True"),
    Mutation(
        "a new name stands among the old ones", "told.py", 'place[new], old, "right")', 'place[new], old, "left")'
    ),
    Mutation("a name that nobody bears is forgotten", "told.py", "if used.all():", "if True:"),
    Mutation("backward asks since when of many", "fading.py", "tick + way * span[number]", "tick + span[number]"),
    Mutation(
        "what a party exposed itself was as brief", "risk.py", "(instant if one % 2 else 1)", "(1 if one % 2 else 1)"
    ),
    Mutation("an end takes off what a start added", "spans.py", "np.where(self._is_end, -found, found)", "found"),
    Mutation("a stated reduction decides", "rules.py", "reached >= self.complete_log10", "reached >= 0"),
    Mutation("rooms of a site are one site", "rules.py", "return match[1] or (match[2] + match[3])[:12]", "return uri"),
)
