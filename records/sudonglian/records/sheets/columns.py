"""The columns that a sheet may have: their headings in both languages, and what stands in them.

docs/sheets.md (the table of columns).
"""

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Final, Literal, TypeAlias

Level: TypeAlias = Literal["handoff", "goods", "person"]
"""What a column is about. Of a handoff it is written once, and may be repeated in its other rows."""


@dataclass(frozen=True, slots=True)
class Column:
    """One column; `choice` names the list of its drop-down."""

    key: str
    zh: str
    en: str
    level: Level
    note_zh: str
    note_en: str
    required: bool = False
    also: tuple[str, ...] = ()
    choice: str = ""

    def heading(self, lang: str) -> str:
        """Return the heading of a template; a star marks what every handoff needs."""
        return (self.zh if lang == "zh" else self.en) + ("*" if self.required else "")

    def note(self, lang: str) -> str:
        """Return what a template says about it."""
        return self.note_zh if lang == "zh" else self.note_en


def _column(
    key: str, zh: str, en: str, level: Level, note_zh: str, note_en: str, *also: str, choice: str = ""
) -> Column:
    return Column(key, zh, en, level, note_zh, note_en, key in REQUIRED, also, choice)


REQUIRED: Final = frozenset({"handoff", "step", "time", "place"})

HANDOFFS: Final = (
    _column("handoff", "交接编号", "handoff no", "handoff", "同一次交接的各行写同一编号", "the same for all rows of one handoff", "交接单号", "单号", "reference"),
    _column("step", "业务步骤", "step", "handoff", "从下拉列表中选", "choose from the list", "步骤", "环节", "business step", choice="step"),
    _column("time", "时间", "time", "handoff", "如 2026-01-05 08:30", "like 2026-01-05 08:30", "交接时间", "date and time"),
    _column("zone", "时区", "time zone", "handoff", "不填为 +08:00", "+08:00 if empty", "timezone", "offset"),
    _column("place", "地点", "place", "handoff", "GLN(13 位)、GLN+扩展号(如 9520001001017+A1)、统一社会信用代码或 URI", "GLN (13 digits), GLN+extension (9520001001017+A1), credit code or URI", "地点编码", "location"),
    _column("from", "发货方", "from", "handoff", "GLN、统一社会信用代码或 URI", "GLN, credit code or URI", "来源方", "shipper", "sender"),
    _column("to", "收货方", "to", "handoff", "GLN、统一社会信用代码或 URI", "GLN, credit code or URI", "去向方", "receiver", "consignee"),
    _column("item", "货物编码", "item", "goods", "GTIN(另填批号或序列号)、SSCC(18 位)、(01)…(10)…、EPC URN 或 GS1 Digital Link", "GTIN (with lot or serial), SSCC (18 digits), (01)…(10)…, EPC URN or GS1 Digital Link", "商品编码", "追溯码", "gtin", "sscc", "item code"),
    _column("lot", "批号", "lot", "goods", "GTIN 的批号", "the lot of a GTIN", "批次", "生产批号", "batch", "lot no"),
    _column("serial", "序列号", "serial", "goods", "单件的序列号", "the serial number of a single item", "serial no"),
    _column("product", "品名", "product", "goods", "给人看的名称", "a name for people", "货物名称", "description"),
    _column("quantity", "数量", "quantity", "goods", "数字,与单位同填", "a number, with its unit", "amount"),
    _column("unit", "单位", "unit", "goods", "从下拉列表中选,或 Rec 20 代码", "choose from the list, or a Rec 20 code", "计量单位", "uom", choice="unit"),
    _column("origin", "产地", "origin", "goods", "国家代码,如 NO", "country code, like NO", "原产国", "country of origin"),
    _column("produced", "生产日期", "production date", "goods", "如 2025-10-18", "like 2025-10-18", "produced"),
    _column("expires", "保质期", "expiry date", "goods", "到期日,如 2027-10-17", "the last day, like 2027-10-17", "保质期至", "有效期至", "best before", "use by"),
    _column("class", "产品类别", "product class", "goods", "从下拉列表中选,如 冷冻;温度按它判断", "choose from the list, like frozen; temperatures are judged by it", "温度类别", "储运类别", "temperature class", choice="class"),
    _column("plant", "境外生产企业注册号", "overseas plant", "goods", "在华注册编号,进口冷链食品填", "its registration number; of imported food", "境外生产企业注册编号", "在华注册编号", "overseas plant no", "plant no"),
    _column("tlc_source", "批号来源", "lot code source", "goods", "编批号的地点:GLN、统一社会信用代码或 URI(FSMA 204)", "where the lot code was assigned: GLN, credit code or URI (FSMA 204)", "追溯批号来源", "tlc source", "traceability lot code source"),
    _column("part", "投入产出", "input or output", "goods", "加工才填:每行选投入或产出", "of processing alone: every row is an input or an output", "投入或产出", choice="part"),
    _column("container", "集装箱号", "container", "handoff", "4 个字母 7 位数字", "four letters, seven digits", "箱号", "container no"),
    _column("seal", "铅封号", "seal", "handoff", "", "", "封号", "seal no"),
    _column("vehicle", "车辆", "vehicle", "handoff", "车牌号", "its plate", "车牌", "车牌号", "plate"),
    _column("customs", "报关单号", "customs declaration", "handoff", "18 位,单元格设为文本", "18 digits, in a cell of text", "customs declaration no"),
    _column("quarantine", "检疫证明", "quarantine certificate", "handoff", "证明编号", "its number", "检验检疫证明", "入境货物检验检疫证明"),
    _column("test", "核酸报告", "test report", "handoff", "报告编号", "its number", "核酸检测报告", "核酸证明"),
    _column("disinfection", "消毒证明", "disinfection certificate", "handoff", "证明编号", "its number"),
    _column("bol", "提单", "bill of lading", "handoff", "提单号", "its number", "提单号", "运单号", "b/l", "bl no"),
    _column("production", "生产单号", "production order", "handoff", "加工的生产单或记录的编号", "the number of the order or record of processing", "生产记录", "加工单号", "production record"),
    _column("coldest", "最低温度", "min temperature", "handoff", "摄氏度", "degrees Celsius", "min temp", "temperature min"),
    _column("warmest", "最高温度", "max temperature", "handoff", "摄氏度", "degrees Celsius", "max temp", "temperature max"),
    _column("temperature", "温度", "temperature", "handoff", "摄氏度,如 -18.5", "degrees Celsius, like -18.5", "temp"),
    _column("measured", "测温时间", "temperature time", "handoff", "如 2026-01-05 08:25", "like 2026-01-05 08:25", "温度时间", "measured at", "temp time"),
    _column("name", "经手人", "handler", "person", "姓名;几个人写在几行,或写在人员表", "a name; several people stand in several rows, or in the sheet of people", "经手人姓名", "handler name"),
    _column("id", "经手人号码", "handler number", "person", "手机号、身份证号、护照号或工号", "telephone, identity card, passport or badge number", "经手人电话", "经手人证件号", "handler phone", "handler id"),
    _column("kind", "号码类型", "number kind", "person", "从下拉列表中选;手机号和身份证号可不填", "choose from the list; a Chinese mobile or identity number needs none", "证件类型", choice="kind"),
    _column("role", "角色", "role", "person", "从下拉列表中选", "choose from the list", "岗位", choice="role"),
    _column("contact", "接触方式", "contact", "person", "从下拉列表中选", "choose from the list", choice="contact"),
    _column("ppe", "防护", "protection", "person", "如 N95", "like N95", "防护用品", "ppe"),
)  # fmt: skip

PEOPLE: Final = (
    HANDOFFS[0],
    HANDOFFS[1],
    *(one for one in HANDOFFS if one.level == "person"),
    _column("start", "开始", "start", "person", "不填为交接时间", "the time of the handoff if empty", "开始时间"),
    _column("end", "结束", "end", "person", "不填为交接时间", "the time of the handoff if empty", "结束时间"),
)
"""Of the second sheet, a row a person of a handoff; without a step it is about each of the handoff's steps."""

ERRORS: Final = {"zh": "错误", "en": "errors"}
"""The heading under which an annotated copy says what is wrong; reading passes over it."""

SHEETS: Final[Mapping[str, tuple[str, ...]]] = {
    "handoffs": ("交接", "handoffs"),
    "people": ("人员", "people"),
    "passed over": ("示例", "examples", "说明", "notes", "列表", "lists"),
}
"""What a template's sheets are called."""

EXAMPLE: Final = ("示例", "EXAMPLE")
"""With which the handoff number of an example begins: such rows are counted and passed over."""

_NOISE = re.compile(r"[\s*＊:_()\[\]℃°-]+")


def plain(heading: str) -> str:
    """Return what a heading is compared by.

    >>> plain(" Handoff No* "), plain("温度(℃)")
    ('handoffno', '温度')
    """
    return _NOISE.sub("", unicodedata.normalize("NFKC", heading).replace("°C", "").casefold())


@cache
def known(people: bool = False) -> dict[str, Column]:
    """Return the columns of a sheet by every spelling of their headings."""
    return {
        plain(spelling): one for one in (PEOPLE if people else HANDOFFS) for spelling in (one.zh, one.en, *one.also)
    }


def is_errors(heading: str) -> bool:
    """Return whether a heading is the one of an annotated copy."""
    return plain(heading) in {plain(one) for one in ERRORS.values()}


def named(columns: Iterable[Column], lang: str) -> str:
    """Return headings in a row, for a sentence."""
    return ("、" if lang == "zh" else ", ").join(one.zh if lang == "zh" else one.en for one in columns)
