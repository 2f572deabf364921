"""`curator bench`: the speed bars of the design, each with its reference from the same run."""
