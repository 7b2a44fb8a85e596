# What a case demands of `diagnose -o json`. $exit: its exit code.
{exit: $exit, verdict,
 causes: [.causes[] | {id, subject}],
 # Where a walked packet ended, of each cause that a walk proves.
 walked: ([.causes[] | {(.id): (.proof[].text | select(test(" ends here: ")) | sub(".* ends here: "; ""))}] | add // {}),
 effects: ([.effects[].id] | unique),
 unexplained: ([.effects[] | select(.explained_by == null)] | length)}
