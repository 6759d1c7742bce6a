#!/usr/bin/python3
"""An independent JSON Schema implementation as the oracle of ours.

Reads lines "SCHEMA FILE<TAB>DOCUMENT" from the file named, and prints one line for each:
1 where python3-jsonschema accepts the document, else 0.
"""
import json
import sys

import jsonschema

validators = {}
with open(sys.argv[1], encoding="utf-8") as lines:
    for line in lines:
        name, document = line.rstrip("\n").split("\t", 1)
        if name not in validators:
            with open(name, encoding="utf-8") as schema:
                loaded = json.load(schema)
            jsonschema.Draft202012Validator.check_schema(loaded)
            validators[name] = jsonschema.Draft202012Validator(loaded)
        print(int(validators[name].is_valid(json.loads(document))))
