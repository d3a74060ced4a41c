"""A deploy that is watched to its end, and taken back when it is bad.

    target · revision        what is deployed, and where: a commit that a person saw
    preflight                what speaks against it, each with its evidence: ok, warning, stop
    journal · lock           one deploy of a service at a time; after a crash the next call goes on
    figures                  5xx, p95, memory, failures and errors: the 15 minutes before
    following · diagnosis    to live, or to the reason why not (the release before still serves)
    baking · verdict         health checks, and the same figures afterwards: good, regressed or not told
    undoing                  autodeploy off, rollback, the same watching again
    record                   what came of it, for the memory bank

Nothing here asks anybody: tools/render/deploy_service.py and rollback_service.py are behind the gate.
"""
