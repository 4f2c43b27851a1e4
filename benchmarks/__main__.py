"""All benchmarks of the engine, printed as one JSON list."""

import json

from benchmarks.dropout import hundred_passes
from benchmarks.edits import different_sentences, edits_of_one_sentence

if __name__ == "__main__":
    found = [edits_of_one_sentence(), different_sentences(), *hundred_passes()]
    print(json.dumps(found, indent=2, ensure_ascii=False))
