"""An environment program that takes 50 ms for every score."""

import json
import sys
import time

for line in sys.stdin:
    question = json.loads(line)
    if question["method"] == "describe":
        result = {"protocol": 1}
    elif question["method"] == "task":
        result = {"prompt": [{"role": "user", "content": f"Sort the digits {question['index']}."}], "answer": "1"}
    else:
        time.sleep(0.05)
        result = {"reward": min(1.0, len(question["completion"]) / 64)}
    print(json.dumps({"id": question["id"], "result": result}), flush=True)
