"""Wrong usage is told in Chinese to whoever reads Chinese, the parser's own sentences too."""

import re
from pathlib import Path
from typing import Any

import pytest

from sudonglian.api import cli

WRONG = {
    ("nonsense",): "没有 'nonsense' 这个命令",
    ("label",): "没有 'label' 这个命令;是否指 'labels'?",
    ("keys",): "缺少下一级命令",
    ("capture",): "缺少参数 'FILE'",
    ("template",): "缺少选项 '-o' / '--output'",
    ("capture", "--foo", "x"): "没有 --foo 这个选项",
    ("history", "a", "b"): "多余的参数:b",
    ("capture", "--submitter"): "选项 '--submitter' 后缺少值",
    ("import", "--dry-run=3", "x"): "选项 '--dry-run' 不带值",
    ("import", "x", "--behaviour", "some"): "'--behaviour' 的值不对:'some' 不在可选值之中:'rollback', 'proceed'",
    ("serve", "--port", "many"): "'--port' 的值不对:应为整数",
    ("serve", "--port", "70000"): "'--port' 的值不对:不得大于 65535",
    ("serve", "--port", "-1"): "'--port' 的值不对:不得小于 0",
}
ENGLISH = re.compile(r"Missing|Invalid|No such|Input should|Got unexpected|Option ")


@pytest.mark.parametrize("line", WRONG, ids=" ".join)
def test_wrong_usage_is_told_in_chinese(line: tuple[str, ...], capsys: Any, tmp_path: Path) -> None:
    assert cli.main(["--data-dir", str(tmp_path / "data"), "--lang", "zh", *line]) == 64
    said = capsys.readouterr().err
    assert said == f"用法有误 — usage: {WRONG[line]}\n"
    assert cli.main(["--data-dir", str(tmp_path / "data"), "--lang", "en", *line]) == 64
    assert ENGLISH.search(capsys.readouterr().err)


def test_a_reader_of_chinese_is_told_so_before_the_settings_are_read(capsys: Any, monkeypatch: Any) -> None:
    monkeypatch.delenv("SUDONGLIAN_LANG", raising=False)
    monkeypatch.delenv("LC_ALL", raising=False)
    monkeypatch.setenv("LC_MESSAGES", "zh_CN.UTF-8")
    assert cli.main(["status", "--data-dir"]) == 64
    assert capsys.readouterr().err.startswith("用法有误 — usage: --data-dir")
    assert cli.main(["status", "--lang", "fr"]) == 64
    assert re.match("[\u4e00-\u9fff]+ — setting: --lang", capsys.readouterr().err)
