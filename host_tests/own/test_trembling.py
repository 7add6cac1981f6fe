"""A value that trembles on a rule's threshold for a day costs what the rule allows, no more."""

import json
import shutil

from host_tests.own.test_examples import EXAMPLES
from tools.own.folder import Folder
from tools.power import scenario, simulate

MOST = 3  # of the rule, on a day of the clock


def lived(folder, course: str) -> simulate.Life:
    (folder / "virtual" / "pin32.csv").write_text(course)
    wanted = scenario.Scenario("", days=1, node=scenario.node(folder / "config.json"))
    wanted.own = Folder.at(folder)
    return simulate.simulate(wanted)


def test_a_value_that_trembles_for_a_day(tmp_path):
    folder = tmp_path / "node"
    shutil.copytree(EXAMPLES / "soil-moisture", folder)
    path = folder / "config.json"
    config = json.loads(path.read_text())
    config["rules"] = {"dry": {"of": "moisture", "below": 0.2, "max_per_day": MOST}}
    path.write_text(json.dumps(config))
    calm = lived(folder, "0,1.7\n")
    trembles = lived(folder, "# repeats every 1800\n0,1.7\n900,2.6\n")
    more = trembles.sessions - calm.sessions
    assert MOST <= more <= 2 * MOST  # the day of the simulation is part of two of the clock
    one = calm.mah_per_day / calm.sessions  # all that the node uses besides is in it
    assert calm.mah_per_day < trembles.mah_per_day <= calm.mah_per_day + 2 * MOST * one
