# SPDX-License-Identifier: Apache-2.0
"""The plays of tests/e2e/vtc, which varnishtest performs against a running
weir.  row_4x are HTTP/1.1; the others are HTTP/2, on both ports."""
import subprocess
from pathlib import Path

import pytest

from conftest import PATIENCE, SERVICES
from doors import Grpc, Http1, house, site  # noqa: F401 (a fixture)

PLAYS = sorted((Path(__file__).parent / "vtc").glob("*.vtc"))
CASES = [(play, port) for play in PLAYS for port in ("OTLP", "HTTP")
         if port == "HTTP" or not play.name.startswith("row_4")]


@pytest.mark.parametrize("play,port", CASES, ids=[f"{p.stem}-{n}" for p, n in CASES])
def test_a_play_ends_as_it_is_written(site, play, port):
    s = site()
    path = "/v1/traces" if port == "HTTP" else SERVICES["traces"][0]
    done = subprocess.run(
        ["varnishtest", f"-t{int(PATIENCE)}", f"-Dport={s.w.env[port]}", f"-Dpath={path}",
         str(play)], capture_output=True, text=True, timeout=PATIENCE + 30)
    assert done.returncode == 0, done.stdout[-4000:]
    assert s.is_empty()
    door = (Http1 if port == "HTTP" else Grpc)(s.w)
    s.serves(door)
    door.close()
