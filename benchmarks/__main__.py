"""All benchmarks of the engine, printed as one JSON list."""

import json

from benchmarks.edits import different_sentences, edits_of_one_sentence

print(json.dumps([edits_of_one_sentence(), different_sentences()], indent=2, ensure_ascii=False))
