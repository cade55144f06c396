"""Events, and rows that change users, groups and profiles: fields, rules, the exported record, what rows do."""
