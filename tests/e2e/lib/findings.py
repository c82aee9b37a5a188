"""What `frostline doctor --format json` found."""
import json


def findings(run, status):
    return {check["id"]: check for check in json.loads(run.out)["checks"]
            if check["status"] == status}


def only_failure(run, check, *told):
    failed = findings(run, "failed")
    assert list(failed) == [check], run.out
    for text in told:
        assert text in failed[check]["text"], failed
    assert failed[check]["fix"], failed
    return failed[check]["fix"]
