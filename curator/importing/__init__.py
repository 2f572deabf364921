"""From the card: copy what is new into one or two folders, verified, while it is already culled.

    contents = find_files(request.cards)                    # card_files: nothing is opened
    facts = read_headers(contents, pool)                    # headers: capture time, fingerprint
    plan = make_plan(request, contents, facts, catalog)     # plan: what is new, names, room
    report = ImportRun(plan, catalog).run()                 # run: copies, verifies, records
    report.sentence     # "Safe to format EOS_DIGITAL: 1,204 files (2 copies each) read back ..."

The window and the command line use it. A copy is *verified*: written under a temporary name,
synced, read back past the cache, equal to what was read from the card, then renamed without
overwriting, at each destination by itself. Nothing on a card is ever written, renamed or deleted,
no file has its real name before it is verified, and nothing is reported done that is not.
"""
