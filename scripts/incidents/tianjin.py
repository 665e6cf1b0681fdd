"""Tianjin, November 2020: a container that stayed closed at the terminal, and the cold store that opened it.

docs/incidents.md tells what was published and what this file assumes.
"""

from typing import Any, Final

from scripts.handoffs import Event, Firm, document, event, nesting
from scripts.incidents.cast import Cast, at, called, fact

NAME: Final = "tianjin-2020"

CARTONS: Final = 2020
"""Published: cartons of the batch, 28.10603 t."""

TOGETHER: Final = 11
"""Published: people in Tianjin who were exposed together with case 138."""

ABROAD, TERMINAL, STORE, SHOP, HEADS_BUYER = Firm(2201), Firm(2202), Firm(2203), Firm(2204), Firm(2205)
PACKING = ABROAD.place(1, "pack")
YARD = TERMINAL.place(1, "reefer-yard")
ROOM = {number: STORE.place(1, f"room-{number}") for number in (2, 4, 5)}
COUNTER = SHOP.place(1, "store")
CONTAINER = ABROAD.unit(1)
TRAILER, HEADS_TRUCK, KNUCKLES_TRUCK = TERMINAL.vehicle("TRAILER1"), STORE.vehicle("TRUCK1"), SHOP.vehicle("TRUCK2")
KNUCKLES = ABROAD.lot(1, "KNUCKLES")
HEADS, OTHER_HEADS = ABROAD.lot(2, "HEADS-2"), ABROAD.lot(2, "HEADS-5")
SAMPLED = at(11, 7, 8)

NAMES: Final = {
    PACKING: {"zh": "德国 装柜处", "en": "where the container was packed, Germany"},
    YARD: {"zh": "天津港 码头冷箱场地", "en": "reefer yard of the terminal, Tianjin"},
    **{room: {"zh": f"冷库 {number} 号库", "en": f"cold store, room {number}"} for number, room in ROOM.items()},
    COUNTER: {"zh": "德州 德城区 水产店", "en": "fishmonger, Dezhou"},
    KNUCKLES: {"zh": "德国猪前肘", "en": "German pork knuckles"},
    HEADS: {"zh": "北美猪头(入 2 号库)", "en": "North American pig heads (room 2)"},
    OTHER_HEADS: {"zh": "北美猪头(入 5 号库)", "en": "North American pig heads (room 5)"},
    CONTAINER: {"zh": "装猪肘的集装箱", "en": "the container of knuckles"},
    TRAILER: {"zh": "集装箱拖车", "en": "trailer of the container"},
    HEADS_TRUCK: {"zh": "拉猪头的货车", "en": "truck for the heads"},
    KNUCKLES_TRUCK: {"zh": "发往德州的车", "en": "truck to Dezhou"},
}


def documents() -> dict[str, Any]:
    """Return the firms' documents by file name."""
    cast = Cast(22)
    return {
        "01-exporter.json": document(ABROAD.party(), at(9, 3), _exporter(), called(NAMES, PACKING)),
        "02-terminal.json": document(TERMINAL.party(), at(11, 4, 1), _terminal(cast), called(NAMES, YARD)),
        "03-cold-store.json": document(STORE.party(), at(11, 8, 3), _store(cast), called(NAMES, *ROOM.values())),
        "04-fishmonger.json": document(SHOP.party(), at(11, 7, 9), _shop(cast), called(NAMES, COUNTER)),
    }


def _exporter() -> list[Event]:
    packed, sent = at(9, 1, 8), at(9, 2, 8)
    between = (ABROAD.party(), TERMINAL.party())
    return [
        nesting(f"{NAME}/packed", packed, "packing", CONTAINER, action="ADD", amounts={KNUCKLES: CARTONS}, at=PACKING),
        event(f"{NAME}/sent", sent, "shipping", items=[CONTAINER], at=PACKING, between=between),
    ]


def _terminal(cast: Cast) -> list[Event]:
    """Keep the container on the yard from 19 October to 4 November, moved closed and by machine."""
    landed, left = at(10, 19, 11, 16), at(11, 4, 0, 37)
    return [
        event(
            f"{NAME}/landed", landed, "arriving", items=[CONTAINER], at=YARD, to=YARD,
            people=[cast.take("码头吊机司机", "crane driver", "outer-packaging", landed, 20)],
        ),
        event(
            f"{NAME}/seal-checked", at(10, 25, 10), "inspecting", items=[CONTAINER], at=YARD, to=YARD,
            people=[cast.take("码头验箱员", "inspector", "outer-packaging", at(10, 25, 10), 10)],
        ),
        event(
            f"{NAME}/left", left, "departing", items=[CONTAINER], at=YARD, to=TRAILER,
            people=[cast.take("拖车司机", "driver", "outer-packaging", left, 10)],
        ),
    ]  # fmt: skip


def _store(cast: Cast) -> list[Event]:
    """Take in three batches on 4 November and send them out on the 5th; worker 138 carries two of them."""
    came, opened = at(11, 4, 11, 30), at(11, 4, 11, 45)
    heads, others = at(11, 4, 15), at(11, 4, 16)
    heads_out, knuckles_out, others_out = at(11, 5, 11), at(11, 5, 12, 30), at(11, 5, 14)

    def crew(*names: str, contact: str, start: Any, minutes: int) -> list[Event]:
        return [cast.take(name, "porter", contact, start, minutes) for name in names]

    carried = ("第138例(装卸工)", "装卸工1", "装卸工2", "装卸工3")
    return [
        event(
            f"{NAME}/came", came, "receiving", items=[CONTAINER], at=ROOM[4], to=ROOM[4],
            people=[cast.take("拖车司机", "driver", "outer-packaging", came, 10)],
            between=(TERMINAL.party(), STORE.party()),
        ),
        nesting(
            f"{NAME}/opened", opened, "unpacking", CONTAINER, action="DELETE", at=ROOM[4], to=ROOM[4],
            people=crew(*carried, contact="opened", start=opened, minutes=90),
        ),
        event(
            f"{NAME}/heads-in", heads, "receiving", amounts={HEADS: 1000}, at=ROOM[2], to=ROOM[2],
            people=crew("第138例(装卸工)", "装卸工4", "装卸工5", contact="outer-packaging", start=heads, minutes=60),
        ),
        event(
            f"{NAME}/other-heads-in", others, "receiving", amounts={OTHER_HEADS: 1000}, at=ROOM[5], to=ROOM[5],
            people=crew("装卸工6", "装卸工7", contact="outer-packaging", start=others, minutes=60),
        ),
        event(
            f"{NAME}/heads-out", heads_out, "shipping", amounts={HEADS: 1000}, at=ROOM[2], to=HEADS_TRUCK,
            people=[
                cast.take("第139例(货车司机)", "driver", "opened", heads_out, 45),
                *crew("装卸工8", "装卸工9", "装卸工10", "装卸工11",
                      contact="outer-packaging", start=heads_out, minutes=45),
            ],
            between=(STORE.party(), HEADS_BUYER.party()),
        ),
        event(
            f"{NAME}/knuckles-out", knuckles_out, "shipping", amounts={KNUCKLES: CARTONS}, at=ROOM[4],
            to=KNUCKLES_TRUCK,
            people=[
                *crew("第138例(装卸工)", "装卸工1", contact="outer-packaging", start=knuckles_out, minutes=60),
                cast.take("发往德州的司机", "driver", "outer-packaging", knuckles_out, 60),
            ],
            between=(STORE.party(), SHOP.party()),
        ),
        event(
            f"{NAME}/other-heads-out", others_out, "shipping", amounts={OTHER_HEADS: 1000}, at=ROOM[5],
            people=crew("装卸工6", contact="outer-packaging", start=others_out, minutes=45),
            between=(STORE.party(), HEADS_BUYER.party()),
        ),
        event(
            f"{NAME}/door", at(11, 8, 2), "sampling", items=[ROOM[4]], at=ROOM[4], to=ROOM[4],
            labTest={"result": "positive", "material": "door handle", "time": at(11, 8, 2).isoformat()},
        ),
    ]  # fmt: skip


def _shop(cast: Cast) -> list[Event]:
    """Sell the batch to Dezhou, where the sample is taken."""
    came = at(11, 6, 9)
    return [
        event(
            f"{NAME}/sold", came, "receiving", amounts={KNUCKLES: CARTONS}, at=COUNTER, to=COUNTER,
            people=[cast.take(one, "porter", "outer-packaging", came, 60) for one in ("德州店员1", "德州店员2")],
            between=(STORE.party(), SHOP.party()),
        ),
        event(
            f"{NAME}/sampled", SAMPLED, "sampling", amounts={KNUCKLES: CARTONS}, at=COUNTER, to=COUNTER,
            labTest={"result": "weak positive", "material": "outer packaging", "time": SAMPLED.isoformat()},
        ),
    ]  # fmt: skip


def story() -> dict[str, Any]:
    """Return what `sample list` tells: what was published, by whom, and what is assumed here."""
    briefing, later = (
        "天津市新闻发布会 2020-11-08(每日经济新闻、德国之声)",
        "天津市第155场新闻发布会 2020-11-24(环球网)",
    )
    return {
        "name": NAME,
        "title": {
            "zh": "天津 2020 年 11 月:没有开过的集装箱与开箱的冷库(公开通报重建)",
            "en": "Tianjin, November 2020: the container that stayed closed, and the store that opened it (rebuilt from public reports)",
        },
        "seed": KNUCKLES,
        "at": SAMPLED.isoformat(),
        "lookback": "14d",
        "lot": KNUCKLES,
        "story": {
            "zh": "德国猪肘的集装箱在码头停放 16 天未开箱,11 月 4 日在冷库开箱,次日运往德州,7 日外包装弱阳性。冷库一名装卸工和一名只拉过猪头的司机先后确诊;通报最终认定来源是北美猪头,猪肘由装卸工的手套沾染。",
            "en": "A container of German knuckles stood closed on a terminal for 16 days, was opened at a cold store on 4 November, and its goods tested weakly positive in Dezhou on the 7th. A porter and a driver who had carried pig heads alone fell ill; the final report names the heads as the source and the porter's gloves as the way to the knuckles.",
        },
        "published": [
            fact("10 月 19 日 11:16 卸到码头冷箱场地,整箱机械作业,未开箱,无人员接触", "landed on 19 October at 11:16 by machine, unopened, touched by nobody", briefing),
            fact("11 月 4 日 0:37 提离码头,11:30 到冷库开箱,2020 件入库", "left the terminal on 4 November at 0:37, opened at the store at 11:30, 2020 cartons", briefing),
            fact("11 月 5 日 12:30 装车运往德州,28.10603 吨", "left for Dezhou on 5 November at 12:30, 28.10603 t", briefing),
            fact("11 月 7 日德州外包装阳性(弱阳性)", "weakly positive in Dezhou on 7 November", "人民网 2020-11-07;德国之声 2020-11-09"),
            fact("一名装卸工(第138例)和一个冷库门把手阳性", "a porter (case 138) and a door handle of the store were positive", briefing),
            fact("有共同暴露史 11 人、密切接触者 8 人,均为阴性", "11 people exposed together with him, 8 close contacts, all negative", "天津市疾控中心 2020-11-08(大同晚报)"),
            fact("第139例司机 11 月 5 日 11 时拉猪头,未接触猪肘,与第138例互不相识;在冷库接触 4 人", "case 139, a driver, loaded heads on 5 November at 11:00, never met knuckles or case 138, met four people at the store", "津云 2020-11-09;" + later),
            fact("第138例搬卸猪肘和入 2 号库的猪头,未搬入 5 号库的猪头;次日着同样手套出库猪肘", "case 138 carried knuckles and the heads for room 2, not those for room 5, and moved knuckles out next day in the same gloves", later),
            fact("结论:来源是北美猪头,司机捡过散包的猪头", "conclusion: the heads were the source; the driver had picked up heads from a broken pack", later),
        ],
        "assumed": [
            {
                "zh": "猪头何时入库、司机拉的是不是 2 号库那批、各人做了什么、德州店员、时刻未公布的样本,均为设定;码头三人是为检验“未开箱不暴露”而设。",
                "en": "When the heads came, that the driver loaded those of room 2, who did what, the fishmonger's people and unpublished times are invented; the three at the terminal stand there to show that a closed container exposes nobody.",
            },
            {
                "zh": "第138例的 8 名密切接触者是同宿舍、同车的同事,交接记录里没有,因此查不出。",
                "en": "The 8 close contacts of case 138 shared his dormitory and car, of which no handoff tells: a trace cannot find them.",
            },
        ],
        "names": NAMES,
        "spared": [],
        "documents": sorted(documents()),
    }  # fmt: skip
