"""Our containers cannot gain rights; what else they may not is tested with the image."""

from __future__ import annotations

from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[2]


def test_no_service_of_ours_gains_rights_or_runs_as_root() -> None:
    services = yaml.safe_load((ROOT / "compose.yaml").read_text())["services"]
    ours = {name: each for name, each in services.items() if each["image"].startswith("backstop:")}
    assert len(ours) >= 4
    for name, each in ours.items():
        assert "no-new-privileges:true" in each["security_opt"], name
        assert not each.get("privileged", False), name
        assert each.get("user", "10001") not in {"0", "root"}, name
        assert not [mount for mount in each.get("volumes", []) if "docker.sock" in mount], name
