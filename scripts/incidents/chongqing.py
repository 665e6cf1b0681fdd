"""Chongqing, December 2020: a carton of Argentine beef in a market's cold store tests positive.

docs/incidents.md tells what was published and what this file assumes.
"""

from typing import Any, Final

from scripts.handoffs import Firm, document, event
from scripts.incidents.cast import Cast, at, fact

NAME: Final = "chongqing-2020"

BOUGHT, SOLD, STOCK = 342, 66, 276
"""Published: pieces bought, sold on to districts, in stock."""

HIGH, GENERAL = 8, 12
"""Published: people at high risk of exposure, and people exposed in general, by the evening of 15 December."""

SOURCE: Final = "新华社重庆 2020-12-15"

LOADS: Final = (20, 22, 24)
"""Assumed: three buyers; only their sum, 66, was published."""

POSITIVE: Final = 200
"""Assumed: which of those in stock was the positive piece."""

SHIPPER, MARKET, SHOPS = Firm(2101), Firm(2102), (Firm(2103), Firm(2104), Firm(2105))
SHANGHAI = SHIPPER.place(1, "dock")
ROOM = MARKET.place(1, "cold-room")
PIECES = [SHIPPER.piece(1, number) for number in range(1, BOUGHT + 1)]
IN_STOCK = PIECES[SOLD:]
SEED = PIECES[POSITIVE - 1]
SAMPLED = at(12, 15, 10)

NAMES: Final = {
    SHANGHAI: {"zh": "上海 发货冷库", "en": "shipper's store, Shanghai"},
    ROOM: {"zh": "重庆高新区 冷链物流中心 冷库", "en": "cold room of the logistics centre, Chongqing"},
    **{
        shop.place(1, "freezer"): {"zh": f"区县买家{mark} 冷柜", "en": f"freezer of buyer {number}, another district"}
        for number, (mark, shop) in enumerate(zip("甲乙丙", SHOPS, strict=True), 1)
    },
}


def documents() -> dict[str, Any]:
    """Return the firms' documents by file name."""
    cast = Cast(21)
    porters = ("搬运工甲", "搬运工乙", "搬运工丙")
    arrival, counting = at(12, 10, 9), at(12, 15, 9)
    shipped = event(
        f"{NAME}/shipped",
        at(12, 7, 18),
        "shipping",
        items=PIECES,
        at=SHANGHAI,
        between=(SHIPPER.party(), MARKET.party()),
        disposition="in_transit",
    )
    handled = [cast.take("长途司机", "driver", "outer-packaging", arrival, 60)]
    handled += [cast.take(one, "porter", "outer-packaging", arrival, 90) for one in porters]
    handled += [cast.take("仓管员", "warehouse keeper", "outer-packaging", arrival, 90)]
    received = event(
        f"{NAME}/received",
        arrival,
        "receiving",
        items=PIECES,
        at=ROOM,
        to=ROOM,
        people=handled,
        between=(SHIPPER.party(), MARKET.party()),
        disposition="in_progress",
    )
    events, shops = [received], {}
    first = 0
    days = (at(12, 11, 7), at(12, 12, 7), at(12, 14, 7))
    for number, (count, shop, day) in enumerate(zip(LOADS, SHOPS, days, strict=True), 1):
        load = PIECES[first : first + count]
        first += count
        people = [
            cast.take(f"提货司机{'甲乙丙'[number - 1]}", "driver", "outer-packaging", day, 30),
            cast.take(porters[number - 1], "porter", "outer-packaging", day, 30),
        ]
        between = (MARKET.party(), shop.party())
        events.append(
            event(f"{NAME}/sold-{number}", day, "shipping", items=load, at=ROOM, people=people, between=between)
        )
        freezer = shop.place(1, "freezer")
        taken = event(
            f"{NAME}/district-{number}", day.replace(hour=10), "receiving", items=load, at=freezer, to=freezer,
            between=between,
        )  # fmt: skip
        shops[f"03-buyer-{number}.json"] = document(
            shop.party(), day.replace(hour=11), [taken], {freezer: NAMES[freezer]["zh"]}
        )
    for number in range(1, GENERAL + 1):
        came = at(12, 10 + (number - 1) // 3, 12 + (number - 1) % 3)
        visitor = cast.take(f"同库作业人员{number}", "tenant", "same-room", came, 40)
        events.append(
            event(f"{NAME}/visit-{number}", came, "holding", items=[SEED], at=ROOM, to=ROOM, people=[visitor])
        )
    events.append(event(f"{NAME}/counted", counting, "holding", items=IN_STOCK, at=ROOM, to=ROOM))
    events.append(
        event(
            f"{NAME}/sampled",
            SAMPLED,
            "sampling",
            items=[SEED],
            at=ROOM,
            to=ROOM,
            labTest={"result": "positive", "material": "outer packaging", "time": SAMPLED.isoformat()},
        )
    )
    return {
        "01-shipper.json": document(SHIPPER.party(), at(12, 7, 19), [shipped], {SHANGHAI: NAMES[SHANGHAI]["zh"]}),
        "02-market.json": document(MARKET.party(), at(12, 15, 20), events, {ROOM: NAMES[ROOM]["zh"]}),
        **shops,
    }


def story() -> dict[str, Any]:
    """Return what `sample list` tells: what was published, by whom, and what is assumed here."""
    return {
        "name": NAME,
        "title": {
            "zh": "重庆 2020 年 12 月:进口冷冻牛肉外包装阳性(公开通报重建)",
            "en": "Chongqing, December 2020: a positive swab on frozen beef (rebuilt from public reports)",
        },
        "seed": SEED,
        "at": SAMPLED.isoformat(),
        "lookback": "14d",
        "lot": "",
        "story": {
            "zh": "阿根廷牛肉 342 件经上海到一处冷链物流中心,66 件已销往区县,276 件在库,其中 1 件外包装阳性。通报:高危暴露 8 人,一般暴露 12 人。",
            "en": "342 pieces of Argentine beef came by way of Shanghai; 66 were sold to districts, 276 were in stock, of which one tested positive. Reported: 8 people at high risk of exposure, 12 exposed in general.",
        },
        "published": [
            fact(
                "购进 342 件,库存 276 件,66 件已销往区县",
                "342 pieces bought, 276 in stock, 66 sold to districts",
                SOURCE,
            ),
            fact("1 件外包装阳性,12 月 15 日", "the outside of one piece was positive, 15 December", SOURCE),
            fact(
                "高危暴露 8 人,一般暴露 12 人,检测均为阴性",
                "8 people at high risk, 12 in general; all tested negative",
                SOURCE,
            ),
            fact(
                "采集样本 164 份,已出结果的 135 份为阴性",
                "164 samples taken; of these 135 had come back, negative",
                SOURCE,
            ),
        ],
        "assumed": [
            {
                "zh": "这 20 人是谁、做了什么,通报没有说:此处设定 8 人搬过或提过货,12 人只在同一冷库内、各自前后到场。人数相符因此是设定的结果。",
                "en": "Who the 20 were and what they did was not reported: here 8 handled the goods, and 12 were in the same room alone, one after the other. That the numbers agree is therefore made so.",
            },
            {
                "zh": "到货与出货的日期、三家买家及各自件数、阳性的是哪一件,均为设定;区县收货人与上海发货人未见通报,不设人员。",
                "en": "The days, the three buyers with their shares, and which piece was positive are invented; of receivers in the districts and of people in Shanghai nothing was reported, so none are named.",
            },
        ],
        "names": {SEED: {"zh": "阳性的一件", "en": "the positive piece"}, **NAMES},
        "spared": [],
        "documents": sorted(documents()),
    }
